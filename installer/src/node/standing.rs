//! Whether a node belongs to its cluster. An API server that does not answer for a
//! moment, as after a boot, must not make the installer begin again: an interrupted
//! step begins with `kubeadm reset`, which would take the node out of its cluster.

use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::node::kubeadm::RESET;
use crate::receipt::StepName;

/// How long a control plane may take to start after a boot, in seconds.
pub(crate) const PATIENCE: u32 = 180;

/// How a node stands to its cluster.
pub(crate) enum Standing {
    /// The cluster knows it.
    In,
    /// It was in the cluster, and the API server does not answer now. Wait until
    /// this command succeeds.
    Waiting(Command),
    /// It is not in the cluster yet, or somebody ran `kubeadm reset`.
    Out,
}

/// Asks `question` with the kubeconfig `config`. If `step` has finished, and the file
/// `left` that it made is there, no answer does not mean that it must begin again.
pub(crate) fn standing(
    host: &Host,
    step: StepName,
    left: &str,
    config: &str,
    question: &str,
) -> anyhow::Result<Standing> {
    let command = Command::of(question);
    let has_config = host.exists(config);
    let said = if has_config { host.ask(&command) } else { crate::exec::Output::default() };
    if said.succeeded() {
        return Ok(Standing::In);
    }
    if !host.was_finished(step) || !host.exists(left) {
        return Ok(Standing::Out);
    }
    if has_config && !said.stderr.contains("NotFound") {
        return Ok(Standing::Waiting(command));
    }
    let reason =
        if has_config { "is not known there now".to_owned() } else { format!("{config} is gone") };
    Err(Failure::new(
        format!("this node has been in its cluster, as {left} shows, and {reason}"),
        format!(
            "`installer doctor` may say why. Only if the node should join again, and you need \
             nothing on it: `{}`, and run this again",
            // A master's member of etcd must leave first.
            if step == StepName::ControlPlane { "installer reset" } else { RESET }
        ),
    )
    .into())
}
