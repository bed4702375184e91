//! The node becomes Ready, by the API server's word.

use crate::engine::step::Step;
use crate::exec::Command;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::node::kubectl::kubectl;
use crate::receipt::StepName;

/// Waits until the node is Ready.
pub struct Ready;

impl Step<Intent> for Ready {
    fn name(&self) -> StepName {
        StepName::Ready
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let name = &node.intent.name;
        let kubectl = kubectl(node.intent.role.kubeconfig());
        let path = "jsonpath={.status.conditions[?(@.type==\"Ready\")].status}";
        let now =
            node.host.query(&format!("{kubectl} --request-timeout 10s get node {name} -o {path}"));
        if now.stdout.trim() == "True" {
            return Ok(Vec::new());
        }
        let wait = format!("{kubectl} wait --for=condition=Ready node/{name} --timeout=10s");
        Ok(vec![Change::Await { command: Command::of(&wait), seconds: 300 }])
    }

    fn cure(&self) -> Option<&'static str> {
        Some("`installer doctor` says why; fix that, and run this again")
    }
}
