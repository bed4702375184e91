//! The answer to requests, or why there is none.

use std::collections::{BTreeMap, BTreeSet};

use super::universe::Id;

/// The packages to bring.
#[derive(Debug)]
pub struct Solution {
    /// Every package that must be installed and is not there yet, sorted.
    pub packages: Vec<Id>,
    /// What each request was solved with, in the requests' order; a package
    /// that stands there already among them.
    pub requested: Vec<Id>,
    /// For each package, who requires it and by which words.
    pub required_by: BTreeMap<Id, BTreeSet<(Id, String)>>,
}

/// Why a request cannot be met.
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
    /// It has the signs of a pattern.
    #[error("`{0}` is a pattern, and patterns are not read: name each package")]
    Pattern(String),
    /// The metadata is nobody's honest work.
    #[error(
        "the packages require one another in more ways than those of any real repository do; is this the right repository?"
    )]
    Entangled,
    /// It is there but cannot be installed.
    #[error(
        "these packages cannot be installed:\n{0}\nadd a repository that has what is missing, or ask for other versions"
    )]
    Conflict(String),
}

fn near(similar: &[String]) -> String {
    if similar.is_empty() { String::new() } else { format!("; there are {}", similar.join(", ")) }
}
