//! What a delta lacks. A delta is a bundle without some of its large blobs, which whoever
//! gets it has already. It says so in an entry of its own. That entry needs no signature:
//! it can only say what is missing, and a blob from elsewhere is checked by its digest as
//! any other.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::layout::Layout;
use crate::lock::{Descriptor, FileKind, Lock};

/// The name of its entry, which follows `index.json`.
pub(super) const NAME: &str = "kubeferry-absent.json";
/// The type of its document.
const TYPE: &str = "application/vnd.kubeferry.absent.v1+json";

/// The document: the absent blobs, in the order in which the bundle would have them.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Absent {
    media_type: String,
    pub(super) blobs: Vec<Digest>,
}

impl Absent {
    /// The bytes of the document. A reader takes only these.
    pub(super) fn bytes(absent: &[Descriptor]) -> serde_json::Result<Vec<u8>> {
        let blobs = absent.iter().map(|blob| blob.digest).collect();
        let mut bytes = serde_json::to_vec_pretty(&Self { media_type: TYPE.to_owned(), blobs })?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

impl Layout {
    /// The layout of a delta of this bundle of `lock`: without those blobs that `has` names.
    /// Documents and other small files stay, because a reader needs them; only packages,
    /// layers and installers go.
    #[must_use]
    pub fn without(mut self, lock: &Lock, has: impl Fn(Digest) -> bool) -> Self {
        let large = large(lock);
        let goes = |blob: &Descriptor| large.contains(&blob.digest) && has(blob.digest);
        (self.absent, self.blobs) = self.blobs.into_iter().partition(goes);
        self
    }
}

/// The packages, layers and installers of all releases.
fn large(lock: &Lock) -> HashSet<Digest> {
    let rpms = lock.hops.iter().flat_map(|hop| &hop.rpms).chain(&lock.rpms);
    let installers = lock.files.iter().filter(|file| file.kind == FileKind::Installer);
    let images = lock.hops.iter().flat_map(|hop| &hop.images).chain(&lock.images);
    let layers = images.flat_map(|image| &image.platforms).flat_map(|one| &one.layers);
    let files = installers.map(|file| &file.content).chain(layers);
    rpms.map(|rpm| rpm.digest).chain(files.map(|file| file.digest)).collect()
}
