//! What makes kubeadm join a node to its cluster: a worker, or a further master.

use crate::exec::Command;
use crate::host::Host;
use crate::install::{Change, Node};
use crate::node::join::JoinFile;
use crate::node::kubeadm::{self, FOLDERS, RESET};
use crate::node::paths::{KUBEADM_JOIN, KUBEADM_JOINED};
use crate::node::standing;
use crate::receipt::StepName;
use crate::steps::file::{claims, secret_file};

/// The changes, in order. `question` asks whether the cluster knows the node.
pub(super) fn changes(
    node: &Node<'_>,
    step: StepName,
    join: &JoinFile,
    question: &str,
) -> anyhow::Result<Vec<Change>> {
    let host = node.host;
    let mut changes = claims(host, &FOLDERS)?;
    let settings = node.intent.settings();
    // Written first: how this node joins, without the secrets.
    let joined = kubeadm::joined_configuration(&settings, join)?;
    changes.extend(secret_file(host, KUBEADM_JOINED, &joined)?);
    let text = kubeadm::join_configuration(&settings, join)?;
    changes.extend(secret_file(host, KUBEADM_JOIN, &text)?);
    if host.was_interrupted(step) {
        changes.push(Change::run(RESET));
    }
    changes.push(Change::Run {
        command: Command::of("kubeadm join --config").with(KUBEADM_JOIN),
        undo: vec![Command::of(RESET)],
        files: Vec::new(),
        intention: None,
    });
    // kubeadm is content when kubelet has its certificate. kubelet registers the node a
    // moment later.
    changes.push(Change::Await { command: Command::of(question), seconds: standing::PATIENCE });
    changes.push(remove());
    Ok(changes)
}

/// What is left to do on a node that has joined: the file with the secrets may still be
/// there after an interruption.
pub(super) fn left(host: &Host) -> Vec<Change> {
    host.exists(KUBEADM_JOIN).then(remove).into_iter().collect()
}

fn remove() -> Change {
    Change::Remove { path: KUBEADM_JOIN.into() }
}
