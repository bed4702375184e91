//! Masters in the middle of an upgrade.

use serde_json::Value;

use crate::failure::{Awaited, Failure};
use crate::host::Host;
use crate::node::registered::{self, Versioned};

/// Those besides this one, among these nodes: the API server is newer than kubelet. While one
/// of them is, the others stay as they are: two at once could stop etcd. An error is in
/// kubectl's words.
pub(crate) fn others(host: &Host, nodes: &Value, own: &str) -> Result<Vec<Failure>, String> {
    let kubelets = nodes.get("items").and_then(Value::as_array).into_iter().flatten();
    let kubelets: Vec<Versioned> = kubelets.filter_map(registered::kubelet_of).collect();
    let others = registered::api_servers(host)?.into_iter().filter_map(|server| {
        let name = server.node.filter(|name| name != own)?;
        let kubelet = &kubelets.iter().find(|one| one.node.as_ref() == Some(&name))?.version;
        (server.version.numbers() > kubelet.numbers()).then(|| {
            Failure::new(
                format!(
                    "{name} is in the middle of its upgrade: its API server has {}, its kubelet \
                     {kubelet}",
                    server.version
                ),
                "go on there with `installer upgrade`, or back with `installer upgrade --back`",
            )
            .awaiting(Awaited::Master(name))
        })
    });
    Ok(others.collect())
}
