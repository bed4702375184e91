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
    // The network's pod writes the configuration when it starts. Its namespace depends
    // on the network, but it always has the node's own network: the node's few pods of
    // that kind are deleted, and started again. The API server has this selector since
    // 1.28 (kubernetes#110477).
    let delete = format!(
        "kubectl --kubeconfig {ADMIN_CONF} delete pods -A --field-selector spec.hostNetwork=true,spec.nodeName={}",
        registered::name(host)
    );
    let place = if host.exists(ADMIN_CONF) { "" } else { "on the master: " };
    Ok(Some(Finding::new(
        format!("no network for pods is configured in {NETWORKS}"),
        format!("{place}{delete}"),
    )))
}
