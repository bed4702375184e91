//! Whether a master is the first of its cluster that is upgraded. kubeadm then takes the
//! cluster's own settings to the new version; on the next masters it follows them.

use bundle_format::KubernetesVersion;
use serde_json::Value;

use super::copy::{OBJECTS, objects};
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
    Ok(version(&objects(host)?) != Some(format!("v{to}")))
}

/// The same of an upgrade that has begun.
pub(crate) fn was_first(host: &Host, to: &KubernetesVersion) -> anyhow::Result<bool> {
    Ok(host.read(OBJECTS)?.and_then(|text| version(&text)) != Some(format!("v{to}")))
}

/// The version in kubeadm's settings, among the objects of a copy.
fn version(objects: &str) -> Option<String> {
    let list: Value = serde_json::from_str(objects).ok()?;
    let mut items = list.get("items")?.as_array()?.iter();
    let config = items.find(|one| one["metadata"]["name"] == "kubeadm-config")?;
    let settings = config["data"]["ClusterConfiguration"].as_str()?;
    let line = settings.lines().find_map(|line| line.strip_prefix("kubernetesVersion:"))?;
    Some(line.trim().trim_matches(['"', '\'']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_kubeadms_settings() {
        let of = |settings: &str| {
            let item = serde_json::json!({"metadata": {"name": "kubeadm-config"},
                "data": {"ClusterConfiguration": settings}});
            version(&serde_json::json!({"items": [{"kind": "x"}, item]}).to_string())
        };
        let settings = "apiVersion: kubeadm.k8s.io/v1beta4\nkubernetesVersion: v1.37.2\n";
        assert_eq!(of(settings).as_deref(), Some("v1.37.2"));
        assert_eq!(of("kubernetesVersion: \"v1.28.2\"").as_deref(), Some("v1.28.2"));
        assert_eq!(of("networking: {}"), None);
    }
}
