//! Two values of a cluster file that contradict each other.

use std::fmt;

use crate::yaml::{Node, Place, Problem};

/// A step on the path to a value in a cluster file.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Item(usize),
}

/// A value that contradicts another one, or a rule of kubeadm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Its key in the cluster file.
    pub key: &'static str,
    /// Another key that is part of the contradiction.
    other: Option<&'static str>,
    /// The path below the key to the value.
    below: Vec<Step>,
    what: String,
    cure: String,
}

impl Conflict {
    pub(crate) fn new(key: &'static str, what: String, cure: impl Into<String>) -> Self {
        Self { key, other: None, below: Vec::new(), what, cure: cure.into() }
    }

    /// Adds another key that is part of the contradiction.
    pub(super) fn with(mut self, other: &'static str) -> Self {
        self.other = Some(other);
        self
    }

    /// Goes on to the item with this number.
    pub(super) fn item(mut self, number: usize) -> Self {
        self.below.push(Step::Item(number));
        self
    }

    /// Goes on to the value of a key.
    pub(super) fn behind(mut self, key: impl Into<String>) -> Self {
        self.below.push(Step::Key(key.into()));
        self
    }

    /// What to do about it.
    pub fn cure(&self) -> &str {
        &self.cure
    }

    /// Its place in the cluster file of this tree. `None` if the file does not
    /// have the key.
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

    /// The mistake to report in the cluster file of this tree.
    pub fn problem(&self, root: &Node) -> Problem {
        Problem::new(self.place(root).unwrap_or(root.place), format!("{self}: {}", self.cure))
    }

    /// All keys that are part of the contradiction.
    pub fn keys(&self) -> impl Iterator<Item = &'static str> {
        [Some(self.key), self.other].into_iter().flatten()
    }
}

/// Says what is wrong.
impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}
