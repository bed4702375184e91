//! The objects that kubeadm replaces in the cluster, as they were before.

use anyhow::{Context, bail};
use serde_json::{Map, Value, json};

use crate::exec::Command;
use crate::host::Host;
use crate::install::Node;
use crate::node::kubectl::kubectl;
use crate::node::paths::ADMIN_CONF;
use crate::receipt::{Deed, Line, Stage, StepName, since_upgrade, upgrade};

/// Where they are kept.
pub(crate) const OBJECTS: &str = "/var/lib/kubeferry/upgrade/objects.json";

/// Those that `kubeadm upgrade apply` replaces, in `kube-system`.
const REPLACED: &str = "configmap/kubeadm-config configmap/kubelet-config configmap/kube-proxy \
                        configmap/coredns daemonset/kube-proxy deployment/coredns";

/// They, as they can be put back: without what only the API server writes.
pub(super) fn here(host: &Host) -> anyhow::Result<String> {
    let question = format!(
        "{} --request-timeout 30s -n kube-system get --ignore-not-found --output json {REPLACED}",
        kubectl(ADMIN_CONF)
    );
    let said = host.answer(&Command::of(&question))?;
    if !said.succeeded() {
        bail!("the API server does not say what kubeadm will replace: {}", said.end());
    }
    let list: Value = serde_json::from_str(&said.stdout).context("reading kubectl's answer")?;
    let items = list.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    let items: Vec<Value> = items.into_iter().map(bare).collect();
    Ok(format!("{:#}\n", json!({"apiVersion": "v1", "kind": "List", "items": items})))
}

fn bare(mut object: Value) -> Value {
    if let Some(all) = object.as_object_mut() {
        all.remove("status");
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        let kept = ["name", "namespace", "labels", "annotations"];
        let old: Map<String, Value> = std::mem::take(metadata);
        metadata.extend(old.into_iter().filter(|(key, _)| kept.contains(&key.as_str())));
    }
    object
}

/// Whether another master was upgraded, or went back, after they were kept here and before
/// kubeadm began here. This master would then take itself for the first one, or for a further
/// one, and is not. If the API server does not answer, they stay.
pub(super) fn are_stale(node: &Node<'_>) -> anyhow::Result<bool> {
    let host = node.host;
    let is_open = upgrade(host.lines()).is_some_and(|open| open.stage == Stage::Begun);
    if !is_open || has_begun(host) {
        return Ok(false);
    }
    let Some(kept) = host.read(OBJECTS)? else { return Ok(false) };
    Ok(here(host).is_ok_and(|now| version(&now) != version(&kept)))
}

/// Whether kubeadm has begun to upgrade this master.
fn has_begun(host: &Host) -> bool {
    let is_kubeadm = |line: &Line| {
        matches!(line, Line::Deed { step: StepName::UpgradeCluster, deed: Deed::Ran { command, .. } }
            if command.to_string().starts_with("kubeadm upgrade"))
    };
    since_upgrade(host.lines()).iter().any(is_kubeadm)
}

/// The version in kubeadm's settings, among the objects of a copy.
pub(super) fn version(objects: &str) -> Option<String> {
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
