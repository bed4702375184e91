//! What of a damaged bundle is lost.

use std::path::Path;

use super::beside::Beside;
use super::documents::claims_another_index;
use super::error::BundleError;
use super::reader::Bundle;
use super::repaired::Repaired;
use super::storage::Storage;
use super::verify;
use crate::damage::chunk::{CHUNK, ChunkSet, chunks};
use crate::damage::map::Map;
use crate::digest::Digest;

/// The map of what nobody here can repair in the bundle at `path`; `None` if nothing is lost.
///
/// A parity file says of each chunk whether it is right, also where the bundle does not open.
/// Without one, all chunks of a damaged blob count as lost, and a bundle that does not open
/// is an error.
pub fn map(path: &Path) -> Result<Option<Map>, BundleError> {
    for beside in Beside::all(path).into_iter().filter(|one| one.parity.is_some()) {
        let storage = Repaired::plain(Storage::open(path)?);
        let (bundle, length) = beside.bundle;
        if claims_another_index(&storage, bundle) {
            continue;
        }
        if let Some(lost) = storage.by(beside).lost() {
            return Ok(of((bundle, length), &lost));
        }
    }
    let bundle = Bundle::open(path)?;
    let mut lost = ChunkSet::default();
    for problem in verify::verify(&bundle, |_| ()).problems {
        if let Some((offset, size)) = bundle.place_of(problem.digest) {
            (offset / CHUNK as u64..chunks(offset + size)).for_each(|chunk| lost.add(chunk));
        }
    }
    Ok(of((Digest::of(bundle.index()), bundle.length()), &lost))
}

fn of((bundle, length): (Digest, u64), lost: &ChunkSet) -> Option<Map> {
    (!lost.is_empty()).then(|| Map::new(bundle, length, lost))
}
