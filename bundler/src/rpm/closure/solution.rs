//! The answer to requests, or the reason why there is none.

use std::collections::{BTreeMap, BTreeSet};

use super::universe::Id;

/// The packages for the bundle.
#[derive(Debug)]
pub struct Solution {
    /// All packages that must be installed and are not on the node yet, sorted.
    pub packages: Vec<Id>,
    /// The package for each request, in the order of the requests. It may be one
    /// that the node already has.
    pub requested: Vec<Id>,
    /// For each package, the packages that require it, with their words for it.
    pub required_by: BTreeMap<Id, BTreeSet<(Id, String)>>,
}

/// Why a request cannot be fulfilled.
#[derive(Debug, thiserror::Error)]
pub enum Unsolvable {
    /// No repository has such a package.
    #[error("no repository has a package `{request}`{}", near(.similar))]
    Unknown {
        /// The request.
        request: String,
        /// Packages with a similar name.
        similar: Vec<String>,
    },
    /// It looks like a pattern.
    #[error("`{0}` is a pattern, and patterns are not read: name each package")]
    Pattern(String),
    /// The metadata cannot be that of a real repository.
    #[error(
        "the packages require each other in more ways than those of any real repository; check that this is the right repository"
    )]
    Entangled,
    /// The package exists, but cannot be installed.
    #[error(
        "these packages cannot be installed:\n{0}\nadd a repository that has what is missing, or ask for other versions"
    )]
    Conflict(String),
}

fn near(similar: &[String]) -> String {
    if similar.is_empty() { String::new() } else { format!("; there are {}", similar.join(", ")) }
}
