//! Something that is wrong with a node, and what mends it.

use serde::Serialize;

use crate::host::Host;
use crate::node::paths::{AUTHORITY_KEY, KUBEADM_JOINED};
use crate::receipt::StepName;
use crate::role::Role;

/// Something that is wrong with a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What is wrong.
    pub cause: String,
    /// The command that mends it, or a sentence if no single command can.
    pub cure: String,
}

impl Finding {
    pub(super) fn new(cause: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { cause: cause.into(), cure: cure.into() }
    }
}

/// The node's role: from the receipt, else from the cluster's key, which only masters
/// have.
pub(super) fn role(host: &Host) -> Role {
    let has_key = host.exists(AUTHORITY_KEY);
    let seen = if has_key { Role::Master } else { Role::Worker };
    Role::of_receipt(host.lines()).unwrap_or(seen)
}

/// The installer's command that runs steps again. A node that the installer did not
/// make is mended by hand.
pub(super) fn again(host: &Host, steps: &[StepName], by_hand: impl Into<String>) -> String {
    if Role::of_receipt(host.lines()).is_none() {
        return by_hand.into();
    }
    let only: String = steps.iter().map(|step| format!(" --only {step}")).collect();
    format!("{}{only}", whole_line(host, role(host)))
}

/// The installer's command that made the node.
pub(super) fn whole_line(host: &Host, role: Role) -> String {
    let joins = role == Role::Worker || host.exists(KUBEADM_JOINED);
    let join = if joins { " --join join.yaml" } else { "" };
    format!("./installer --role {role}{join}")
}
