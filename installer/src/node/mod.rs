//! What a node is: what it has, and how it is asked.

pub mod certificates;
pub(crate) mod chrony;
pub(crate) mod containerd;
pub(crate) mod containers;
pub mod control_plane;
pub(crate) mod etcd;
pub mod facts;
pub(crate) mod family;
pub mod inventory;
pub mod join;
pub mod kubeadm;
pub(crate) mod kubectl;
pub(crate) mod kubelet_arguments;
pub(crate) mod neighbour;
pub mod os_release;
pub(crate) mod paths;
pub(crate) mod pattern;
pub mod pods;
pub(crate) mod reach;
pub mod registered;
pub(crate) mod rpm;
pub(crate) mod standing;
pub(crate) mod static_pod;
pub(crate) mod sysctl;
pub(crate) mod systemd;
pub(crate) mod virtual_address;
