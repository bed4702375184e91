//! What a cluster's machines and persons are known by: certificates, and the
//! kubeconfigs that have them.

pub mod certificate;
pub mod kept;
pub mod kubeconfig;
pub(crate) mod kubelet;
pub mod person;
pub mod pki;
pub mod pods;
pub mod renewal;
