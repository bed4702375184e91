//! `/etc/crictl.yaml`: crictl asks containerd, without a warning.

use crate::engine::change::Change;
use crate::engine::step::{Node, Step};
use crate::node::paths::CRI_SOCKET;
use crate::receipt::StepName;
use crate::steps::file::file;

/// See the module.
pub struct Crictl;

impl Step for Crictl {
    fn name(&self) -> StepName {
        StepName::Crictl
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let text =
            format!("runtime-endpoint: {CRI_SOCKET}\nimage-endpoint: {CRI_SOCKET}\ntimeout: 10\n");
        file(node.host, "/etc/crictl.yaml", &text)
    }
}
