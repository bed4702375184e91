//! A release of Kubernetes in a bundle, and where its files lie.

use bundle_format::lock::Lock;
use bundle_format::{BundlePath, Digest, KubernetesVersion};

/// The last release of a bundle, or what only one of its hops has.
pub(super) struct Release<'a> {
    /// Its lock.
    pub(super) lock: &'a Lock,
    /// The hop's version.
    pub(super) hop: Option<&'a KubernetesVersion>,
}

impl Release<'_> {
    /// Where a file of its lock lies in the bundle.
    pub(super) fn place(&self, path: BundlePath) -> BundlePath {
        match self.hop {
            Some(version) => path.of_hop(version),
            None => path,
        }
    }
}

/// The reference of the component that lies there.
pub(super) fn reference(path: &BundlePath, digest: Digest) -> String {
    let short: String = digest.hex().chars().take(12).collect();
    format!("{path}#{short}")
}
