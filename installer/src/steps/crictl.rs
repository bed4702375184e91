//! `/etc/crictl.yaml`, so that crictl asks containerd and prints no warning.

use crate::engine::step::Step;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::node::paths::CRI_SOCKET;
use crate::receipt::StepName;
use crate::steps::file::file;

/// Writes crictl's configuration.
pub struct Crictl;

impl Step<Intent> for Crictl {
    fn name(&self) -> StepName {
        StepName::Crictl
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let text =
            format!("runtime-endpoint: {CRI_SOCKET}\nimage-endpoint: {CRI_SOCKET}\ntimeout: 10\n");
        file(node.host, "/etc/crictl.yaml", &text)
    }
}
