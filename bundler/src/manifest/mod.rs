//! Kubernetes YAML: finds its images, checks it, and changes it without rewriting the
//! rest.

pub mod check;
pub mod discovery;
pub mod expectation;
pub mod object;
pub mod passes;
pub mod patch;
