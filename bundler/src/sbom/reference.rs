//! The names by which components of a document are told apart.

use bundle_format::{BundlePath, Digest};

/// The reference of a component by its place in the bundle. Files of hops have theirs in a
/// folder of the hop, and `own_of_hop` has only what the last release has not.
pub(super) fn reference(path: &BundlePath, digest: Digest) -> String {
    let short: String = digest.hex().chars().take(12).collect();
    format!("{path}#{short}")
}
