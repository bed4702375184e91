//! The bundles that were named with a delta. Several of them may have a blob, and the stick of
//! the first may be the one that is worn out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::blob::BlobReader;
use super::blobs::Blobs;
use super::error::BundleError;
use crate::digest::Digest;
use crate::lock::Descriptor;
use crate::text::count;

/// The bundles that were named with a delta, in the order in which they were named.
#[derive(Debug, Default)]
pub(super) struct Others {
    pub(super) archives: Vec<Blobs>,
    /// Why some could not be opened. Nothing is lacking without them.
    pub(super) unopened: Vec<String>,
    chosen: Mutex<Chosen>,
}

/// What reading has shown of blobs that several archives have.
#[derive(Debug, Default)]
struct Chosen {
    /// The archive that gives each, as its number among those that have it.
    archives: HashMap<Digest, usize>,
    /// The blobs that a file does not give.
    bad: BTreeMap<PathBuf, BTreeSet<Digest>>,
}

impl Others {
    /// See [`super::reader::Bundle::passed_over`].
    pub(super) fn passed_over(&self) -> Vec<String> {
        let bad = &lock(&self.chosen).bad;
        let words = bad.iter().map(|(path, blobs)| {
            let comes = if blobs.len() == 1 { "comes" } else { "come" };
            let (blobs, path) = (count(blobs.len(), "blob"), path.display());
            format!("{blobs} of {path} cannot be read, and {comes} from another bundle")
        });
        self.unopened.iter().cloned().chain(words).collect()
    }

    /// The first of these archives that gives the right bytes.
    pub(super) fn first_good<'a>(
        &self,
        holders: &[&'a Blobs],
        blob: &Descriptor,
    ) -> Result<&'a Blobs, BundleError> {
        let digest = blob.digest;
        if let Some(known) = self.chosen(holders, digest) {
            return Ok(known);
        }
        let mut bad = Vec::new();
        for (number, holder) in holders.iter().enumerate() {
            let read = |reader: BlobReader<'_>| {
                reader.check(|_| {}).map_err(|source| BundleError::Blob { digest, source })
            };
            let Err(error) = holder.open(blob).and_then(read) else {
                let mut chosen = lock(&self.chosen);
                chosen.archives.insert(digest, number);
                for (path, _) in bad {
                    chosen.bad.entry(path).or_default().insert(digest);
                }
                return Ok(holder);
            };
            bad.push((holder.file_of(digest).to_owned(), error.of_blob()));
        }
        let words: Vec<String> =
            bad.into_iter().map(|(path, why)| format!("in {}: {why}", path.display())).collect();
        Err(BundleError::Blob { digest, source: io::Error::other(words.join("; ")) })
    }

    /// The archive that was found to give a blob, of those that have it.
    pub(super) fn chosen<'a>(&self, holders: &[&'a Blobs], digest: Digest) -> Option<&'a Blobs> {
        let number = *lock(&self.chosen).archives.get(&digest)?;
        holders.get(number).copied()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
