//! What one layer adds to an image, and what it hides of those below it (OCI image spec,
//! `layer.md`).

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::{Deserialize, Serialize};

use super::super::database::Found;

/// The findings of a layer.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Layer {
    /// Files that say what is installed, by their paths.
    pub(crate) found: BTreeMap<String, Found>,
    /// Why the layer could not be read to its end.
    pub(crate) problem: Option<String>,
    /// The size of all their packages in memory, in bytes.
    pub(super) text: usize,
    /// Everything that is no folder, and what was removed. They are hashes of paths: a
    /// layer may have a million files.
    taken: Vec<u64>,
    /// Folders whose content in lower layers is removed.
    opaque: Vec<u64>,
}

impl Layer {
    /// The number of its entries so far.
    pub(super) fn count(&self) -> usize {
        self.taken.len() + self.opaque.len()
    }

    /// Adds an entry that is not a folder.
    pub(super) fn take(&mut self, path: &str) {
        self.found.remove(path);
        self.taken.push(hash(path));
    }

    /// Removes all that lower layers have in a folder.
    pub(super) fn empty(&mut self, folder: &str) {
        self.opaque.push(hash(folder));
    }

    /// Makes it ready for questions.
    pub(super) fn finish(mut self) -> Self {
        self.taken.sort_unstable();
        self.opaque.sort_unstable();
        self
    }

    /// Whether a lower layer's file cannot be seen through this one.
    pub(crate) fn hides(&self, path: &str) -> bool {
        let folders = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
        let has = |list: &[u64], path: &str| list.binary_search(&hash(path)).is_ok();
        has(&self.taken, path)
            || has(&self.opaque, "")
            || folders.into_iter().any(|own| has(&self.taken, own) || has(&self.opaque, own))
    }
}

fn hash(path: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}
