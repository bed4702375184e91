//! What of a damaged bundle is lost.

use std::path::Path;

use super::beside::Beside;
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
    let opened = Bundle::open(path);
    if let Ok(bundle) = &opened
        && let Some(lost) = bundle.storage().lost()
    {
        return Ok(of(bundle.identity(), &lost));
    }
    // Nobody can say that a parity file is of this bundle. If it is not, its map is refused
    // where the patch is to be made.
    for beside in Beside::all(path).into_iter().filter(|_| opened.is_err()) {
        let (bundle, length) = beside.bundle;
        let ways = Storage::with_holes(path, length).unwrap_or_default().into_iter();
        let lost = ways.filter_map(|files| Repaired::plain(files).by(beside.clone()).lost());
        if let Some(lost) = lost.min_by_key(ChunkSet::len) {
            return Ok(of((bundle, length), &lost));
        }
    }
    let bundle = opened?;
    let mut lost = ChunkSet::default();
    for problem in verify::verify(&bundle, |_| ()).problems {
        if let Some((offset, size)) = bundle.place_of(problem.digest) {
            (offset / CHUNK as u64..chunks(offset + size)).for_each(|chunk| lost.add(chunk));
        }
    }
    Ok(of(bundle.identity(), &lost))
}

fn of((bundle, length): (Digest, u64), lost: &ChunkSet) -> Option<Map> {
    (!lost.is_empty()).then(|| Map::new(bundle, length, lost))
}
