//! A piece of node set-up, and what it needs to know.

use std::fmt::{Debug, Display};

use crate::engine::change::Change;
use crate::host::Host;
use crate::receipt::{Line, StepName};

/// What a list of steps is made for: an install, or new certificates. It has what
/// its steps need to know, and makes the changes that only it can make.
pub trait Purpose {
    /// The changes that only it can make: those of an install need its bundle.
    type Own: Clone + Debug + PartialEq + Display;

    /// The receipt's line that says what begins.
    fn begun(&self) -> Option<Line>;

    /// Makes a change of its own.
    fn make(&self, host: &mut Host, step: StepName, change: &Self::Own) -> anyhow::Result<()>;
}

/// A piece of node set-up. It says what is still to be done, and never does it:
/// a plan, a run and the check after it are all this one answer.
pub trait Step<P: Purpose> {
    /// How it is called in plans, errors and the receipt. Steps that are only
    /// finished together have one name.
    fn name(&self) -> StepName;

    /// The changes that are still needed, in order; none when all is as it
    /// should be. Only looks.
    fn changes(&self, node: &Node<'_, P>) -> anyhow::Result<Vec<Change<P::Own>>>;

    /// Refuses where something does not hold that earlier steps were to bring
    /// about. Asked right before the changes are made, and so in no plan.
    fn before(&self, _node: &Node<'_, P>) -> anyhow::Result<()> {
        Ok(())
    }

    /// What to do when a change of it fails, where the failed command does not
    /// say that itself.
    fn cure(&self) -> Option<&'static str> {
        None
    }
}

/// A list of steps, in order.
pub type Steps<P> = Vec<&'static dyn Step<P>>;

/// A node, and what its steps are for.
pub struct Node<'a, P> {
    /// The node as it is.
    pub host: &'a Host,
    /// What it is to become.
    pub intent: &'a P,
}
