//! The pods' network. A node without its configuration is never Ready.

use super::finding::Finding;
use crate::host::Host;
use crate::node::containerd::networks;
use crate::node::paths::{ADMIN_CONF, NETWORKS};
use crate::node::registered;

pub(super) fn missing(host: &Host) -> anyhow::Result<Option<Finding>> {
    if !networks(host)?.is_empty() {
        return Ok(None);
    }
    // The network's pod writes the configuration when it starts. All system pods
    // of the node are deleted, and started again, because nothing else tells which
    // one is the network's.
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
