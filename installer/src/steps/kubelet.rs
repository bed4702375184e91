//! kubelet starts at each boot. kubeadm starts it the first time.

use super::unit_is;
use crate::change::Change;
use crate::step::{Node, Step};

/// See the module.
pub struct Kubelet;

impl Step for Kubelet {
    fn name(&self) -> &'static str {
        "kubelet"
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        if unit_is(node.host, "enabled", "kubelet")? {
            return Ok(Vec::new());
        }
        let undo = "systemctl disable --now kubelet";
        Ok(vec![Change::run_undone_by("systemctl enable kubelet", undo)])
    }
}
