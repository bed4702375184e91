//! A step, what it is for, and what it may look at.

use std::fmt::{Debug, Display};

use crate::engine::change::Change;
use crate::host::Host;
use crate::receipt::{Line, StepName};

/// What a list of steps is for: an install, or new certificates. It holds what its
/// steps need to know, and makes the changes that only it can make. Its steps may be asked
/// at once.
pub trait Purpose: Sync {
    /// Changes that only it can make: those of an install need the bundle.
    type Own: Clone + Debug + PartialEq + Display + Send;

    /// The receipt's line for the beginning of a run; none if there is none.
    fn begun(&self) -> Option<Line>;

    /// Makes such a change.
    fn make(&self, host: &mut Host, step: StepName, change: &Self::Own) -> anyhow::Result<()>;
}

/// A part of setting up a node. A step only says what is still to change. So the
/// plan, the run and the check afterwards are the same answer.
pub trait Step<P: Purpose>: Sync {
    /// Its name in plans, errors and the receipt. Steps that finish only together
    /// share a name.
    fn name(&self) -> StepName;

    /// The changes that are still needed, in order; none if there is nothing to do.
    /// This only looks at the node and changes nothing. In a plan, it is asked while
    /// other steps are.
    fn changes(&self, node: &Node<'_, P>) -> anyhow::Result<Vec<Change<P::Own>>>;

    /// Refuses if an earlier step has not brought about what this one needs. It
    /// is asked right before the changes are made, and in no plan.
    fn before(&self, _node: &Node<'_, P>) -> anyhow::Result<()> {
        Ok(())
    }

    /// What to do if a change fails, and the failed command does not tell.
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
