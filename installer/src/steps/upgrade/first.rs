//! Whether a master is the first of its cluster that is upgraded. kubeadm then takes the
//! cluster's own settings to the new version; on the next masters it follows them.

use bundle_format::KubernetesVersion;
use serde_json::Value;

use super::copy::{OBJECTS, objects};
use crate::host::Host;

/// Whether it is: kubeadm's settings in the cluster had another version before this master's
/// upgrade. They are in its copy, so the answer stays the same however often it is
/// interrupted.
pub(crate) fn is_first(host: &Host, to: &KubernetesVersion) -> anyhow::Result<bool> {
    match host.read(OBJECTS)? {
        Some(text) => Ok(version(&text) != Some(format!("v{to}"))),
        None => would_be_first(host, to),
    }
}

/// Whether it would be, if its upgrade began now.
pub(crate) fn would_be_first(host: &Host, to: &KubernetesVersion) -> anyhow::Result<bool> {
    Ok(version(&objects(host)?) != Some(format!("v{to}")))
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
