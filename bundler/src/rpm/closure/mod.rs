//! The dependency closure: the packages that are needed to install the requested
//! ones.

mod candidates;
mod clause;
mod draft;
mod exclusions;
mod installed;
mod layers;
mod obsoleted;
mod policy;
mod provider;
mod prune;
mod report;
mod request;
mod rules;
mod shared_version;
mod solution;
mod solve;
mod universe;
mod weak;

pub use installed::Installed;
pub use request::Request;
pub use solution::{Solution, Unsolvable};
pub use solve::solve;
pub use universe::{Id, Universe};
