//! Kubernetes YAML: which images it needs, and changing it without rewriting it.

pub mod check;
pub mod discovery;
pub mod expectation;
pub mod object;
pub mod passes;
pub mod patch;
