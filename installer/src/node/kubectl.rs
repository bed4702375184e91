//! How the installer calls kubectl.

/// The beginning of a command: kubectl with this kubeconfig. Its cache lies where a
/// reset removes it.
pub(crate) fn kubectl(config: &str) -> String {
    format!("kubectl --cache-dir /var/lib/kubeferry/kubectl --kubeconfig {config}")
}
