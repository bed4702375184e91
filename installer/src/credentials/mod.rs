//! What a cluster's machines and persons are known by: certificates, and the
//! kubeconfigs that have them.

pub mod person;
pub mod pods;
mod put_back;
pub mod renewal;
