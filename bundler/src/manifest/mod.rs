//! Kubernetes YAML: which images it needs, and changing it without rewriting it.

pub mod discovery;
pub mod document;
pub mod patch;
pub mod shape;
