//! Making certificates and kubeconfigs: new ones for the control plane, and a
//! person's.

pub mod person;
mod put_back;
pub mod renewal;
