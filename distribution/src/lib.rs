//! What both programs need of a network (OCI distribution specification): fetching bytes,
//! registries with their logins, and finding a bundle in a registry.

#![cfg_attr(not(test), warn(clippy::print_stdout, clippy::print_stderr))]

pub mod fetch;
pub mod page;
pub mod program;
pub mod registries;
pub mod site;
