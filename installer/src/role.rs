//! What a node can be.

use std::fmt;

use clap::ValueEnum;

use crate::failure::Failure;
use crate::receipt::Line;

/// What a node is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// The node with the control plane. It runs pods of the system only.
    Master,
    /// A node that runs pods.
    Worker,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Master => "master",
            Self::Worker => "worker",
        })
    }
}

/// What is wrong where something needs a master, and this node is none.
pub(crate) fn no_master() -> Failure {
    Failure::new(
        "this node is no master",
        "run this on the node that was made with `installer --role master`",
    )
}

impl Role {
    /// What the last run that a receipt tells of made, or began to make.
    pub fn of_receipt(lines: &[Line]) -> Option<Self> {
        lines.iter().rev().find_map(|line| match line {
            Line::Begun { role, .. } => Self::from_str(role, false).ok(),
            _ => None,
        })
    }
}
