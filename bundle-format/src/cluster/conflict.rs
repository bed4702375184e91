//! A value in a cluster file that does not go together with another.

use std::fmt;

use crate::yaml::{Node, Place, Problem};

/// A step on the way to a value in a cluster file.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Item(usize),
}

/// A value that does not go together with another, or with kubeadm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Its key in the cluster file.
    pub key: &'static str,
    /// Another key that takes part.
    other: Option<&'static str>,
    /// Below the key, the way to the value.
    below: Vec<Step>,
    what: String,
    cure: String,
}

impl Conflict {
    pub(crate) fn new(key: &'static str, what: String, cure: impl Into<String>) -> Self {
        Self { key, other: None, below: Vec::new(), what, cure: cure.into() }
    }

    /// With another key that takes part.
    pub(super) fn with(mut self, other: &'static str) -> Self {
        self.other = Some(other);
        self
    }

    /// In the item of this number.
    pub(super) fn item(mut self, number: usize) -> Self {
        self.below.push(Step::Item(number));
        self
    }

    /// Behind a key below.
    pub(super) fn behind(mut self, key: impl Into<String>) -> Self {
        self.below.push(Step::Key(key.into()));
        self
    }

    /// What to do.
    pub fn cure(&self) -> &str {
        &self.cure
    }

    /// Where it stands in the cluster file of this tree; none where that has no such
    /// key.
    pub fn place(&self, root: &Node) -> Option<Place> {
        let mut node = root.value(self.key)?;
        for step in &self.below {
            node = match step {
                Step::Key(key) => node.value(key),
                Step::Item(number) => node.item(*number),
            }
            .unwrap_or(node);
        }
        Some(node.place)
    }

    /// As a mistake in the cluster file of this tree.
    pub fn problem(&self, root: &Node) -> Problem {
        Problem::new(self.place(root).unwrap_or(root.place), format!("{self}: {}", self.cure))
    }

    /// The keys that take part.
    pub fn keys(&self) -> impl Iterator<Item = &'static str> {
        [Some(self.key), self.other].into_iter().flatten()
    }
}

/// What is wrong.
impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}
