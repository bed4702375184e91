//! The steps that only an upgrade has, in kubeadm's order (kubernetes.io, "Upgrading
//! kubeadm clusters"). All others are those of an install.

pub mod cluster;
pub mod copy;
pub mod drain;
pub mod kubeadm;
pub mod node;
pub mod restart;
pub mod uncordon;

use crate::install::Node;
use crate::node::paths::{ADMIN_CONF, KUBELET_CONF};
use crate::role::Role;

/// The kubeconfig by which a node of this role asks and changes what it is in the cluster.
pub(crate) fn config_of(role: Role) -> &'static str {
    if role == Role::Master { ADMIN_CONF } else { KUBELET_CONF }
}

fn config(node: &Node<'_>) -> &'static str {
    config_of(node.intent.role)
}
