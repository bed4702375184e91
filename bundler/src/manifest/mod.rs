//! Kubernetes YAML: which images it needs, and changing it without rewriting it.

pub mod discovery;
pub mod document;
pub mod naming;
mod parts;
pub mod patch;
mod place;
pub mod shape;
mod walk;
