//! What a node has already.

use std::collections::HashSet;

use super::universe::Id;

/// What stands on the node before.
#[derive(Debug, Default)]
pub struct Installed {
    /// The packages, as far as the repositories know them.
    pub packages: HashSet<Id>,
    /// Those of them whose own requirements are taken as met.
    pub settled: HashSet<Id>,
}
