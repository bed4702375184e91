//! The pods' network. A node without its configuration is never Ready.

use bundle_format::KubernetesVersion;

use super::finding::Finding;
use crate::host::Host;
use crate::node::containerd::networks;
use crate::node::paths::{ADMIN_CONF, NETWORKS};
use crate::node::registered;

pub(super) fn missing(host: &Host) -> anyhow::Result<Option<Finding>> {
    if !networks(host)?.is_empty() {
        return Ok(None);
    }
    let delete = delete_pods_of_host(host);
    let place = if host.exists(ADMIN_CONF) { "" } else { "on the master: " };
    Ok(Some(Finding::new(
        format!("no network for pods is configured in {NETWORKS}"),
        format!("{place}{delete}"),
    )))
}

/// The network's pod writes the configuration when it starts. Its namespace depends on the
/// network, but it always has the node's own network: the node's few pods of that kind are
/// deleted, and started again.
fn delete_pods_of_host(host: &Host) -> String {
    let (kubectl, name) = (format!("kubectl --kubeconfig {ADMIN_CONF}"), registered::name(host));
    if has_selector(host) {
        return format!(
            "{kubectl} delete pods -A --field-selector spec.hostNetwork=true,spec.nodeName={name}"
        );
    }
    format!(
        "{kubectl} get pods -A --field-selector spec.nodeName={name} -o jsonpath='{{range \
         .items[?(@.spec.hostNetwork==true)]}}{{.metadata.namespace}} \
         {{.metadata.name}}{{\"\\n\"}}{{end}}' | xargs -r -n 2 {kubectl} delete pod -n"
    )
}

/// Whether the API server can select pods by `spec.hostNetwork`, as it can since 1.28
/// (kubernetes#110477). kubelet is not newer than it.
fn has_selector(host: &Host) -> bool {
    let said = host.query("kubelet --version").stdout;
    let version = said.trim().strip_prefix("Kubernetes v").map(str::parse::<KubernetesVersion>);
    version.and_then(Result::ok).is_some_and(|version| version.minor() >= 28)
}
