//! Whether a master is the first of its cluster that is upgraded. kubeadm then takes the
//! cluster's own settings to the new version; on the next masters it follows them.

use bundle_format::KubernetesVersion;

use super::objects::{self, OBJECTS};
use crate::hop;
use crate::host::Host;
use crate::install::Node;

/// Whether it is: kubeadm's settings in the cluster had another version before this master's
/// upgrade. They are in its copy, so the answer stays the same however often it is
/// interrupted.
pub(super) fn is_first(node: &Node<'_>) -> anyhow::Result<bool> {
    let (host, to) = (node.host, &node.intent.lock().kubernetes);
    // In a plan, the copy of the upgrade that this one ends is still there.
    let is_ended = hop::ended(host, &node.intent.bundle)?.is_some();
    if !is_ended && host.exists(OBJECTS) {
        return was_first(host, to);
    }
    Ok(objects::version(&objects::here(host)?) != Some(format!("v{to}")))
}

/// The same of an upgrade that has begun.
pub(crate) fn was_first(host: &Host, to: &KubernetesVersion) -> anyhow::Result<bool> {
    Ok(host.read(OBJECTS)?.and_then(|text| objects::version(&text)) != Some(format!("v{to}")))
}
