//! The control plane, made by kubeadm. The first master begins a cluster, and further ones
//! join it.

mod first;
mod further;

use crate::engine::step::Step;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::node::join::JoinFile;
use crate::receipt::StepName;
use crate::steps::{boot_images, time};

/// Runs `kubeadm init`. With a join file for masters, it runs `kubeadm join`.
pub struct ControlPlane;

impl Step<Intent> for ControlPlane {
    fn name(&self) -> StepName {
        StepName::ControlPlane
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        match &node.intent.join {
            None => first::changes(node, self.name()),
            Some(join) => further::changes(node, self.name(), join),
        }
    }

    fn before(&self, node: &Node<'_>) -> anyhow::Result<()> {
        let wrong = match time::wrong_clock(node.host)? {
            Some(wrong) => Some(wrong),
            None => boot_images::refusal(node.host, node.intent)?,
        };
        let old = || node.intent.join.as_ref().and_then(JoinFile::problem);
        let wrong = wrong.or_else(old);
        wrong.map_or(Ok(()), |wrong| Err(wrong.into()))
    }

    fn cure(&self) -> Option<&'static str> {
        Some(
            "`crictl ps --all` and `journalctl -u kubelet` say what does not start; fix that, and \
             run this again",
        )
    }
}
