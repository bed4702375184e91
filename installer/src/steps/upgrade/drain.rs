//! The node's pods move to others before containerd and kubelet start again in another
//! version.

use bundle_format::cluster::NodeName;

use crate::engine::step::Step;
use crate::host::Host;
use crate::install::{Change, Node, OfInstall};
use crate::intent::Intent;
use crate::node::kubectl::{kubectl, readyz};
use crate::node::pods;
use crate::receipt::{Intention, Line, StepName, since_upgrade};
use crate::role::Role;
use crate::steps::upgrade::restart;

/// How long the API server may take to answer after a boot, in seconds.
const START: u32 = 120;

/// Cordons the node, and evicts its pods.
pub struct Drain;

impl Step<Intent> for Drain {
    fn name(&self) -> StepName {
        StepName::Drain
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let drains = node.intent.upgrade.as_ref().is_some_and(|upgrade| upgrade.drains);
        let is_alone = is_alone(node);
        let (lines, name) = (since_upgrade(node.host.lines()), &node.intent.name);
        // kubelet may have been stopped by the restart that follows. Then nobody answers, until
        // that restart goes on.
        let is_restarting =
            lines.iter().any(|line| matches!(line, Line::Deed { step: StepName::Restart, .. }));
        let is_behind = is_restarting || node.host.was_finished_in(self.name(), lines);
        // Pods that come to a cordoned node all the same stay there.
        let is_done =
            is_behind && is_cordoned(node.host, node.intent.role, name).unwrap_or(is_restarting);
        if is_done || !drains || is_alone == Some(true) || !restart::is_due(node)? {
            return Ok(Vec::new());
        }
        let (config, name) = (node.intent.role.kubeconfig(), node.intent.name.to_string());
        let mut changes = Vec::new();
        if is_alone.is_none() {
            // After a power loss, the API server takes a while.
            changes.push(Change::Await { command: readyz(config), seconds: START });
        }
        if is_alone.is_none() || !is_cordoned_here(node) {
            let cordon = format!("{} cordon {name}", kubectl(config));
            changes.push(Change::run(&cordon).intended(Intention::Cordon));
        }
        // Others may come until the node is cordoned. An upgrade that was cut short may have to
        // start the API server first; if it is still silent then, this fails.
        let pods = match is_alone {
            Some(_) => pods::that_move(node.host, config, &name)?,
            None => Vec::new(),
        };
        if !pods.is_empty() || !changes.is_empty() {
            let config = config.to_owned();
            changes.push(Change::Own(OfInstall::Evict { config, node: name, pods }));
        }
        Ok(changes)
    }

    fn cure(&self) -> Option<&'static str> {
        Some(
            "`kubectl get poddisruptionbudget --all-namespaces` shows who holds pods back; or give \
             --no-drain: pods then stay here, and keep running",
        )
    }
}

/// Whether pods are to move: not if there is no other node.
pub(crate) fn is_wanted(node: &Node<'_>) -> bool {
    let drains = node.intent.upgrade.as_ref().is_some_and(|upgrade| upgrade.drains);
    drains && is_alone(node) == Some(false)
}

/// Whether the cluster has no other node; none if the API server does not say. A worker has
/// a master.
fn is_alone(node: &Node<'_>) -> Option<bool> {
    if node.intent.role == Role::Worker {
        return Some(false);
    }
    let config = node.intent.role.kubeconfig();
    let all = format!("{} --request-timeout 10s get nodes --output name", kubectl(config));
    let said = node.host.query(&all);
    said.succeeded().then(|| said.stdout.lines().count() < 2)
}

/// Whether no new pods come to a node; none if the API server does not say.
pub(crate) fn is_cordoned(host: &Host, role: Role, name: &NodeName) -> Option<bool> {
    let now = host.query(&format!(
        "{} --request-timeout 10s get node {name} --output jsonpath={{.spec.unschedulable}}",
        kubectl(role.kubeconfig())
    ));
    now.succeeded().then(|| now.stdout.trim() == "true")
}

/// Whether no new pods come to this node, for sure.
pub(super) fn is_cordoned_here(node: &Node<'_>) -> bool {
    is_cordoned(node.host, node.intent.role, &node.intent.name) == Some(true)
}
