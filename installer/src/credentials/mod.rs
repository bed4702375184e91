//! Making certificates and kubeconfigs: new ones for the control plane, and a
//! person's.

pub mod person;
pub mod pods;
mod put_back;
pub mod renewal;
