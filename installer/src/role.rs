//! The roles of a node.

use std::fmt;

use clap::ValueEnum;

use crate::failure::Failure;
use crate::node::paths::{ADMIN_CONF, KUBELET_CONF};
use crate::receipt::Line;

/// The role of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// A node with the control plane. It runs only system pods.
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

/// The failure of a command that needs a master.
pub(crate) fn no_master() -> Failure {
    Failure::new(
        "this node is no master",
        "run this on the node that was made with `installer --role master`",
    )
}

impl Role {
    /// The kubeconfig by which a node of this role asks, and changes what it is in the
    /// cluster.
    pub(crate) fn kubeconfig(self) -> &'static str {
        match self {
            Self::Master => ADMIN_CONF,
            Self::Worker => KUBELET_CONF,
        }
    }

    /// The role of the last run in a receipt, finished or not.
    pub fn of_receipt(lines: &[Line]) -> Option<Self> {
        lines.iter().rev().find_map(|line| match line {
            Line::Begun { role, .. } => Self::from_str(role, false).ok(),
            _ => None,
        })
    }
}
