//! The network of pods: without its configuration a node is never Ready.

use super::Finding;
use crate::host::Host;
use crate::node::containerd::networks;
use crate::node::paths::ADMIN_CONF;
use crate::node::paths::NETWORKS;
use crate::node::registered;

pub(super) fn missing(host: &Host) -> anyhow::Result<Option<Finding>> {
    if !networks(host)?.is_empty() {
        return Ok(None);
    }
    // The network's own pod writes it when it starts; what a node's pods of the
    // system are otherwise comes up again as well.
    let delete = format!(
        "kubectl --kubeconfig {ADMIN_CONF} -n kube-system delete pods --field-selector spec.nodeName={}",
        registered::name(host)
    );
    let place = if host.exists(ADMIN_CONF) { "" } else { "on the master: " };
    Ok(Some(Finding::new(
        format!("no network for pods is configured in {NETWORKS}"),
        format!("{place}{delete}"),
    )))
}
