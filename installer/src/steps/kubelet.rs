//! kubelet: it starts at each boot, after containerd, and has name servers for its pods.
//! kubeadm starts it the first time.

use crate::engine::step::Step;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::node::kubelet_arguments;
use crate::node::systemd::unit_is;
use crate::receipt::StepName;
use crate::steps::file::file_for;
use crate::steps::resolver;

/// What systemd reads with kubelet's unit.
const ORDER: (&str, &str) = (
    "/etc/systemd/system/kubelet.service.d/20-kubeferry.conf",
    "# Written by kubeferry: kubelet ends without containerd, and starts again only 10 s later.\n\
     [Unit]\nAfter=containerd.service\n",
);

/// Enables kubelet.
pub struct Kubelet;

impl Step<Intent> for Kubelet {
    fn name(&self) -> StepName {
        StepName::Kubelet
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let mut changes = resolver::changes(node, self.name())?;
        let (path, text) = ORDER;
        let reread = "systemctl daemon-reload";
        changes.extend(file_for(node.host, self.name(), path, text, reread)?);
        if !unit_is(node.host, "enabled", "kubelet")? {
            let undo = "systemctl disable --now kubelet";
            changes.push(Change::run_undone_by("systemctl enable kubelet", undo));
        }
        Ok(changes)
    }

    fn before(&self, node: &Node<'_>) -> anyhow::Result<()> {
        // Preflight knows many wrong arguments. kubelet itself, installed by
        // now, knows all.
        let refused = kubelet_arguments::refused(node.host)?;
        refused.map_or(Ok(()), |refused| Err(refused.into()))
    }
}
