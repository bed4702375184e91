//! A node that has been in its cluster is not made anew because of an API server
//! that does not answer just now: what an interrupted step begins with,
//! `kubeadm reset`, would end it.

use super::control_plane::RESET;
use crate::failure::Failure;
use crate::host::Host;
use crate::receipt;

/// Refuses where `step` was finished, and what it has left is still there.
pub(super) fn refuse(host: &Host, step: &str, left: &str) -> anyhow::Result<()> {
    let was_finished = receipt::finished(host.lines(), step) && !host.was_interrupted(step);
    if !was_finished || !host.exists(left) {
        return Ok(());
    }
    Err(Failure::new(
        format!("this node has been in its cluster, as {left} shows, and is not known there now"),
        format!(
            "`installer doctor` says why. Only if it is to enter anew, and nothing on it is \
             needed: `{RESET}`, and run this again"
        ),
    )
    .into())
}
