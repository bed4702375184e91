//! How a node's run ended.

use bundle_format::cluster::NodeName;

use super::problem::Problem;

/// How it ended for one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The node.
    pub node: NodeName,
    /// How it ended.
    pub end: End,
}

/// How a node's run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Nothing was to be done.
    Already,
    /// It is done, in the installer's own words.
    Done(String),
    /// It failed, in the installer's own words.
    Failed(String),
    /// It was not begun, because something before it failed.
    Left(String),
}

impl Outcome {
    /// Whether the node is as it should be.
    pub fn is_good(&self) -> bool {
        matches!(self.end, End::Already | End::Done(..))
    }

    pub(super) fn failed(node: &NodeName, error: &anyhow::Error) -> Self {
        let Problem { what, cure, .. } = Problem::of(node, error);
        let end = End::Failed(format!("error: {what}\nhint: {cure}"));
        Self { node: node.clone(), end }
    }
}
