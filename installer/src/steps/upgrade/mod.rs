//! The steps that only an upgrade has, in kubeadm's order (kubernetes.io, "Upgrading
//! kubeadm clusters"). All others are those of an install.

pub mod cluster;
pub mod copy;
pub mod drain;
pub mod first;
pub mod kubeadm;
pub mod node;
pub mod objects;
pub mod restart;
pub mod uncordon;
