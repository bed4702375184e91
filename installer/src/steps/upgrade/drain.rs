//! The node's pods move to others before containerd and kubelet start again in another
//! version.

use crate::engine::step::Step;
use crate::install::{Change, Node, OfInstall};
use crate::intent::Intent;
use crate::node::kubectl::kubectl;
use crate::node::pods;
use crate::receipt::{Intention, StepName, since_upgrade};
use crate::role::Role;
use crate::steps::upgrade::{config, restart};

/// Cordons the node, and evicts its pods.
pub struct Drain;

impl Step<Intent> for Drain {
    fn name(&self) -> StepName {
        StepName::Drain
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let drains = node.intent.upgrade.as_ref().is_some_and(|upgrade| upgrade.drains);
        let is_alone = is_alone(node);
        // Pods that come to a cordoned node all the same stay there.
        let is_done = node.host.was_finished_in(self.name(), since_upgrade(node.host.lines()))
            && is_cordoned(node);
        if is_done || !drains || is_alone == Some(true) || !restart::is_due(node)? {
            return Ok(Vec::new());
        }
        let (config, name) = (config(node), node.intent.name.to_string());
        let mut changes = Vec::new();
        if is_alone.is_none() {
            // An upgrade that was cut short may have to start the API server first. If it is
            // still silent then, this fails.
            let cordon = format!("{} cordon {name}", kubectl(config));
            changes.push(Change::run(&cordon).intended(Intention::Cordon));
            let (config, pods) = (config.to_owned(), Vec::new());
            changes.push(Change::Own(OfInstall::Evict { config, node: name, pods }));
            return Ok(changes);
        }
        if !is_cordoned(node) {
            let cordon = format!("{} cordon {name}", kubectl(config));
            changes.push(Change::run(&cordon).intended(Intention::Cordon));
        }
        // Others may come until the node is cordoned.
        let pods = pods::that_move(node.host, config, &name)?;
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
    let config = config(node);
    let all = format!("{} --request-timeout 10s get nodes --output name", kubectl(config));
    let said = node.host.query(&all);
    said.succeeded().then(|| said.stdout.lines().count() < 2)
}

/// Whether no new pods come to the node.
pub(super) fn is_cordoned(node: &Node<'_>) -> bool {
    let name = &node.intent.name;
    let now = node.host.query(&format!(
        "{} --request-timeout 10s get node {name} --output jsonpath={{.spec.unschedulable}}",
        kubectl(config(node))
    ));
    now.stdout.trim() == "true"
}
