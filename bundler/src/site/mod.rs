//! Bundles in a registry of the site: pushing and pulling them.
//!
//! A bundle is one OCI artifact manifest. Its config is the lock, and its layers are the
//! files of the bundle's OCI image layout, in the bundle's order, each with its name there.
//! So the same bundle gives the same manifest, and tags share what they have in common.

mod artifact;
mod blob;
mod images;
mod mirror;
pub mod pull;
pub mod push;
mod queue;
mod referrers;
mod refusal;
mod sessions;
mod tags;
mod task;
mod upload;

pub use distribution::site::{Address, Reach, Site};
pub use mirror::Mirror;
pub use queue::Tally;
pub use task::Task;
