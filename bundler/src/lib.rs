//! Turns a short spec into one checksummed bundle for an air-gapped site.

pub mod cli;
pub mod fetch;
pub mod image;
pub mod lock;
pub mod manifest;
pub mod rpm;
pub mod spec;
