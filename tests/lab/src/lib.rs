//! The lab: a signed yum repository, a registry, and air-gapped nodes with
//! systemd, all of real components, on one machine. `README.md` beside this
//! crate says what is a stand-in; `docs/lab.md` says what its nodes differ in
//! from real ones.
//!
//! A machine has one lab at a time. Everything that it makes outside of its
//! folder in the cache has the word `kubeferry-lab` in its name, so that a lab
//! that crashed is found and cleared by the next.

pub mod built;
mod cgroup;
pub mod cluster;
mod command;
pub mod host;
mod kernel;
pub mod kills;
mod lab;
mod line;
pub mod network;
pub mod node;
mod owner;
mod places;
pub mod product;
pub mod products;
pub mod rehearse;
pub mod token_server;
pub mod upgrade_kills;
pub mod upstream;

pub use command::program;
pub use lab::{Lab, Settings};
pub use line::{LINES, Line};
pub use node::Node;
pub use places::Places;
pub use upstream::Upstream;

/// What everything of the lab's is called, as a whole name or the first part.
pub const NAME: &str = "kubeferry-lab";
