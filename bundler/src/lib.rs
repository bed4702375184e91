//! Turns a short spec into one checksummed bundle for an air-gapped site.

#![cfg_attr(not(test), warn(clippy::print_stdout, clippy::print_stderr))]

pub mod build;
pub mod cli;
pub mod complete;
pub mod image;
pub mod inspect;
pub mod libyaml;
pub mod lock;
pub mod manifest;
mod outage;
pub mod progress;
pub mod report;
pub mod rpm;
pub mod sbom;
pub mod serve;
pub mod signing;
pub mod site;
pub mod spec;
pub mod upstreams;

pub(crate) use distribution::program;
pub use distribution::{fetch, page};
