//! What the checks of a combination say.

use bundle_format::yaml::{Node, Place};

/// What is wrong with a combination, and what to write instead.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Reasons why the bundle is not made.
    pub refused: Vec<String>,
    /// What a release engineer should know.
    pub warnings: Vec<String>,
}

/// A combination that is known to fail.
pub(crate) struct Refusal {
    /// The value in the spec that does not fit.
    pub(crate) about: About,
    /// Why, and what to write instead.
    pub(crate) reason: String,
}

/// A value that other values must fit.
pub(crate) enum About {
    /// The version of containerd.
    Containerd,
    /// The family of the target with this number.
    Target(usize),
    /// The cluster's `proxyMode`.
    ProxyMode,
}

impl About {
    /// The place of the value in the spec.
    pub(crate) fn place(&self, root: &Node) -> Place {
        let (node, key) = match self {
            Self::Containerd => (root.value("containerd"), "version"),
            Self::Target(index) => (root.items("targets").get(*index), "family"),
            Self::ProxyMode => (root.value("cluster"), "proxyMode"),
        };
        node.map_or(root.place, |node| node.place_of(key))
    }
}
