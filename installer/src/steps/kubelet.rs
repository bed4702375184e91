//! kubelet starts at each boot, with name servers for its pods. kubeadm starts it
//! the first time.

use super::{resolver, unit_is};
use crate::change::Change;
use crate::step::{Node, Step};

/// See the module.
pub struct Kubelet;

impl Step for Kubelet {
    fn name(&self) -> &'static str {
        "kubelet"
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let mut changes = resolver::changes(node, self.name())?;
        if !unit_is(node.host, "enabled", "kubelet")? {
            let undo = "systemctl disable --now kubelet";
            changes.push(Change::run_undone_by("systemctl enable kubelet", undo));
        }
        Ok(changes)
    }
}
