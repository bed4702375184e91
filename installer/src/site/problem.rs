//! What is in the way on a node.

use bundle_format::cluster::NodeName;

use crate::failure::Failure;

/// A problem of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The node.
    pub node: NodeName,
    /// What is wrong, in words that the node may have written.
    pub what: String,
    /// What to do.
    pub cure: String,
}

impl Problem {
    /// What is wrong with a node.
    pub fn new(node: &NodeName, what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { node: node.clone(), what: what.into(), cure: cure.into() }
    }

    /// What an error says of a node.
    pub fn of(node: &NodeName, error: &anyhow::Error) -> Self {
        let failure = Failure::of(error);
        Self::new(node, failure.to_string(), failure.cure())
    }
}

/// The same problem of several nodes is one, with all their names.
pub fn grouped(problems: &[Problem]) -> Vec<(Vec<&NodeName>, &Problem)> {
    let mut groups: Vec<(Vec<&NodeName>, &Problem)> = Vec::new();
    for problem in problems {
        let same =
            |(_, one): &&mut (_, &Problem)| one.what == problem.what && one.cure == problem.cure;
        match groups.iter_mut().find(same) {
            Some((nodes, _)) => nodes.push(&problem.node),
            None => groups.push((vec![&problem.node], problem)),
        }
    }
    groups
}
