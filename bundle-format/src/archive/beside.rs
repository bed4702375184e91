//! The files beside a bundle that repair it.

use std::path::Path;
use std::sync::Arc;

use crate::damage::parity::{self, Parity};
use crate::damage::patch::{self, Patch};
use crate::digest::Digest;

/// A parity file, a patch, or both, for the same bundle.
#[derive(Clone, Debug)]
pub(super) struct Beside {
    pub(super) parity: Option<Arc<Parity>>,
    pub(super) patch: Option<Arc<Patch>>,
    /// Which bundle: see [`super::reader::Bundle::identity`].
    pub(super) bundle: (Digest, u64),
}

impl Beside {
    /// What lies beside the bundle at `path`. A parity file and a patch may be of different
    /// bundles: then they are two. A file that cannot be read is as good as none, because the
    /// bundle may need no repair.
    pub(super) fn all(path: &Path) -> Vec<Self> {
        let parity = Parity::open(&parity::found(path)).ok().flatten().map(Arc::new);
        let patch = Patch::open(&patch::found(path)).ok().flatten().map(Arc::new);
        let of_parity = parity.as_ref().map(|one| (one.head().bundle, one.plan().length()));
        let of_patch = patch.as_ref().map(|one| (one.bundle(), one.length()));
        let all = match (of_parity, of_patch) {
            (Some(one), Some(other)) if one != other => {
                vec![(Some(one), parity, None), (Some(other), None, patch)]
            }
            (one, other) => vec![(one.or(other), parity, patch)],
        };
        let beside = |(bundle, parity, patch): (Option<_>, _, _)| {
            Some(Self { parity, patch, bundle: bundle? })
        };
        all.into_iter().filter_map(beside).collect()
    }
}
