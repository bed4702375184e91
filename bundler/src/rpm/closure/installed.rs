//! The packages that a node already has.

use std::collections::HashSet;

use super::universe::Id;

/// The packages on the node before the installation.
#[derive(Debug, Default)]
pub struct Installed {
    /// The packages, if the repositories know them.
    pub packages: HashSet<Id>,
    /// Those whose own requirements are assumed to be met.
    pub settled: HashSet<Id>,
}
