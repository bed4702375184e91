use bundler::rpm::resolve::baseline::read_package_list;

use super::{outcome, text};

/// A node's package list.
pub(super) fn package_list(bytes: &[u8]) -> String {
    outcome(read_package_list("node.tsv", &text(bytes)))
}
