//! Masters in the middle of an upgrade.

use bundle_format::KubernetesVersion;
use serde_json::Value;

use crate::failure::Failure;
use crate::host::Host;
use crate::node::registered;

/// Those besides this one, among these nodes: the API server is newer than kubelet. While one
/// of them is, the others stay as they are: two at once could stop etcd. An error is in
/// kubectl's words.
pub(crate) fn others(host: &Host, nodes: &Value, own: &str) -> Result<Vec<Failure>, String> {
    let kubelet = |name: &str| -> Option<KubernetesVersion> {
        let mut nodes = nodes.get("items")?.as_array()?.iter();
        let node = nodes.find(|node| node["metadata"]["name"] == name)?;
        let version = node.pointer("/status/nodeInfo/kubeletVersion")?.as_str()?;
        version.trim_start_matches('v').parse().ok()
    };
    let number = |version: &KubernetesVersion| (version.minor(), version.patch());
    let others = registered::api_servers(host)?.into_iter().filter_map(|server| {
        let name = server.node.filter(|name| name != own)?;
        let kubelet = kubelet(&name)?;
        (number(&server.version) > number(&kubelet)).then(|| {
            Failure::new(
                format!(
                    "{name} is in the middle of its upgrade: its API server has {}, its kubelet \
                     {kubelet}",
                    server.version
                ),
                "go on there with `installer upgrade`, or back with `installer upgrade --back`",
            )
        })
    });
    Ok(others.collect())
}
