//! The layers of images. Each is read once, whichever images have it, as a stream.

mod archive;
mod layer;

use std::collections::HashMap;
use std::thread::available_parallelism;

use bundle_format::Digest;
use bundle_format::lock::{Descriptor, LockedPlatform};
use bundle_format::parallel;

pub(super) use layer::Layer;

use super::content::{Open, whole};

/// How many layers are read at a time.
const MOST_READERS: usize = 4;

/// All layers of these images.
pub(super) fn read<'a>(
    platforms: impl Iterator<Item = &'a LockedPlatform>,
    open: &Open<'_>,
) -> anyhow::Result<HashMap<Digest, Layer>> {
    let by_digest: HashMap<Digest, &Descriptor> =
        platforms.flat_map(|platform| &platform.layers).map(|one| (one.digest, one)).collect();
    let mut blobs: Vec<&Descriptor> = by_digest.into_values().collect();
    // The largest first, so that no processor waits for it at the end.
    blobs.sort_by_key(|blob| (std::cmp::Reverse(blob.size), blob.digest));
    // Each holds a database in memory, so not as many as there are processors.
    let readers = available_parallelism().map_or(1, usize::from).min(MOST_READERS);
    let layers = parallel::each(&blobs, readers, |blob| whole(open, blob, archive::read));
    blobs.iter().zip(layers).map(|(blob, layer)| Ok((blob.digest, layer?))).collect()
}
