//! How kubectl is asked.

/// kubectl with a kubeconfig; what it remembers of the API goes where a reset
/// finds it.
pub(crate) fn kubectl(config: &str) -> String {
    format!("kubectl --cache-dir /var/lib/kubeferry/kubectl --kubeconfig {config}")
}
