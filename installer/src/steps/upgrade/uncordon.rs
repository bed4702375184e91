//! Pods may come to the node again, if it was the upgrade that sent them away.

use crate::engine::step::Step;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::node::kubectl::kubectl;
use crate::receipt::{Intention, Line, StepName, intentions, since_upgrade};
use crate::steps::upgrade::drain;

/// Uncordons the node.
pub struct Uncordon;

impl Step<Intent> for Uncordon {
    fn name(&self) -> StepName {
        StepName::Uncordon
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        // In a plan, the node is not cordoned yet.
        let will_be =
            !super::drain::Drain.changes(node)?.is_empty() && !drain::is_cordoned_here(node);
        let is_now = || is_ours(node.host.lines()) && drain::is_cordoned_here(node);
        if !will_be && !is_now() {
            return Ok(Vec::new());
        }
        let uncordon =
            format!("{} uncordon {}", kubectl(node.intent.role.kubeconfig()), node.intent.name);
        Ok(vec![Change::run(&uncordon).intended(Intention::Uncordon)])
    }
}

/// Whether this upgrade cordoned the node, and has not taken that back. An uncordon that
/// was only noted may not have been made, so a cordoned node tells.
pub(crate) fn is_ours(lines: &[Line]) -> bool {
    intentions(since_upgrade(lines)).any(|one| one == Intention::Cordon)
}
