//! The node becomes Ready, by the API server's word.

use crate::engine::step::Step;
use crate::exec::Command;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::node::kubectl::kubectl;
use crate::node::registered;
use crate::receipt::StepName;

/// Waits until the node is Ready.
pub struct Ready;

impl Step<Intent> for Ready {
    fn name(&self) -> StepName {
        StepName::Ready
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let name = &node.intent.name;
        // A worker may have a copy of the administrator's kubeconfig, which may be old.
        let config = node.intent.role.kubeconfig();
        if registered::is_ready(node.host, config, name) {
            return Ok(Vec::new());
        }
        let kubectl = kubectl(config);
        let wait = format!("{kubectl} wait --for=condition=Ready node/{name} --timeout=10s");
        Ok(vec![Change::Await { command: Command::of(&wait), seconds: 300 }])
    }

    fn cure(&self) -> Option<&'static str> {
        Some("`installer doctor` says why; fix that, and run this again")
    }
}
