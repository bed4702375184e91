//! A piece of node set-up, and what it needs to know.

use crate::intent::Intent;

use crate::engine::change::Change;
use crate::host::Host;
use crate::receipt::StepName;

/// A piece of node set-up. It says what is still to be done, and never does it:
/// a plan, a run and the check after it are all this one answer.
pub trait Step {
    /// How it is called in plans, errors and the receipt.
    fn name(&self) -> StepName;

    /// The changes that are still needed, in order; none when all is as it
    /// should be. Only looks.
    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>>;

    /// Refuses where something does not hold that earlier steps were to bring
    /// about. Asked right before the changes are made, and so in no plan.
    fn before(&self, _node: &Node<'_>) -> anyhow::Result<()> {
        Ok(())
    }

    /// What to do when a change of it fails, where the failed command does not
    /// say that itself.
    fn cure(&self) -> Option<&'static str> {
        None
    }
}

/// A node, and what it is to become.
pub struct Node<'a> {
    /// The node as it is.
    pub host: &'a Host,
    /// The intention.
    pub intent: &'a Intent,
}
