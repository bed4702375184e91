//! A node that has been in its cluster is not made anew because of an API server
//! that does not answer just now, as after a boot: what an interrupted step begins
//! with, `kubeadm reset`, would end it.

use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::node::kubeadm::RESET;
use crate::receipt::StepName;

/// For how many seconds a control plane may take to start after a boot.
pub(crate) const PATIENCE: u32 = 180;

/// What a node is to its cluster.
pub(crate) enum Standing {
    /// It is known there.
    In,
    /// It was, and its API server does not answer: it does when this succeeds.
    Waiting(Command),
    /// It is not yet, or was reset by hand.
    Out,
}

/// Asks `question` by the kubeconfig `config`. Where `step` was finished, and what
/// it has left is there, no answer is no reason to begin again.
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
            "`installer doctor` may say why. Only if it is to enter anew, and nothing on it is \
             needed: `{RESET}`, and run this again"
        ),
    )
    .into())
}
