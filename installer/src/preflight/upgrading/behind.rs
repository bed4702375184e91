//! Nodes that an upgrade to the next minor release would leave too far behind.

use serde_json::Value;

use crate::failure::Failure;
use crate::intent::Intent;
use crate::node::registered::{self, Versioned};

/// The failures of other nodes whose kubelet is of an older minor release than this master
/// has now. Later only the kubeadm of a release in between could upgrade them, and a kubeadm
/// that is older than its cluster is not supported (kubernetes.io, "Version Skew Policy").
pub(super) fn problems<'a>(
    nodes: impl Iterator<Item = &'a Value>,
    intent: &Intent,
) -> Vec<Failure> {
    let Some(from) = intent.upgrade.as_ref().map(|upgrade| &upgrade.from) else {
        return Vec::new();
    };
    let to = &intent.lock().kubernetes;
    if to.minor() == from.minor() {
        return Vec::new();
    }
    let problem = |node: &Value| {
        let Versioned { node: name, version: has } = registered::kubelet_of(node)?;
        let name = name?;
        (has.minor() < from.minor()).then(|| {
            Failure::new(
                format!(
                    "{name} has Kubernetes {has}, and its cluster {from}: it must not stay behind \
                     when this master gets {to}"
                ),
                format!("there, with a bundle that has 1.{}: `installer upgrade`", has.minor() + 1),
            )
        })
    };
    nodes.filter_map(problem).collect()
}
