//! The certificates and kubeconfigs that lie on a node.

pub mod certificate;
pub mod kept;
pub mod kubeconfig;
pub(crate) mod kubelet;
pub mod pki;
