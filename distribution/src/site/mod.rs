//! A bundle in a registry of the site: where it is, and finding it. `bundler` pushes it.

pub mod address;
pub mod artifact;
pub mod found;
pub mod open;
pub mod referrers;
pub mod registry;
pub mod stream;

pub use address::{Address, fault};
pub use registry::{Reach, Site};
