//! Kubernetes YAML: which images it needs, and changing it without rewriting it.

pub mod check;
pub mod discovery;
pub mod document;
pub mod expectation;
mod json;
pub mod naming;
pub mod node;
pub mod object;
mod parse;
mod parts;
pub mod passes;
pub mod patch;
mod place;
pub mod shape;
mod stand_in;
mod stream;
pub mod value;
mod walk;
