//! The bundles that were named with a delta. Several of them may have a blob, and the stick of
//! the first may be the one that is worn out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::blob::BlobReader;
use super::error::BundleError;
use super::reader::{Blobs, Bundle};
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

impl Bundle {
    /// A reader of the descriptor's blob, from its first byte. If several bundles have it, it
    /// is that of the first one that gives the right bytes. To know this, it is read one time
    /// more; once for each blob.
    pub fn open_blob(&self, descriptor: &Descriptor) -> Result<BlobReader<'_>, BundleError> {
        let digest = descriptor.digest;
        match self.holders(digest).as_slice() {
            [] if self.lacks(digest) => Err(BundleError::Absent(digest)),
            [] => Err(BundleError::Missing(digest)),
            [only] => only.open(descriptor),
            several => self.others.first_good(several, descriptor)?.open(descriptor),
        }
    }

    /// The archives that have a blob, its own first.
    fn holders(&self, digest: Digest) -> Vec<&Blobs> {
        let all = std::iter::once(&self.blobs).chain(&self.others.archives);
        all.filter(|one| one.blobs.contains_key(&digest)).collect()
    }

    /// The names of the files that hold a blob. Empty if the bundle is one file, and has it.
    pub(super) fn parts_of(&self, digest: Digest) -> Vec<String> {
        let holders = self.holders(digest);
        let held = self.others.chosen(&holders, digest).or(holders.first().copied());
        let held = held.unwrap_or(&self.blobs);
        let (place, files) = (held.blobs.get(&digest), held.storage.files());
        let parts = place.map_or_else(Vec::new, |place| files.parts(place.offset, place.size));
        match parts.is_empty() && !std::ptr::eq(held, &raw const self.blobs) {
            true => files.paths().map(|path| path.display().to_string()).collect(),
            false => parts,
        }
    }

    /// What is wrong with bundles that were named with it, although nothing is lacking: others
    /// have what these do not give. As far as the bundle was read.
    pub fn passed_over(&self) -> Vec<String> {
        let bad = &lock(&self.others.chosen).bad;
        let words = bad.iter().map(|(path, blobs)| {
            let comes = if blobs.len() == 1 { "comes" } else { "come" };
            let (blobs, path) = (count(blobs.len(), "blob"), path.display());
            format!("{blobs} of {path} cannot be read, and {comes} from another bundle")
        });
        self.others.unopened.iter().cloned().chain(words).collect()
    }
}

impl Others {
    /// The first of these archives that gives the right bytes.
    fn first_good<'a>(
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

    fn chosen<'a>(&self, holders: &[&'a Blobs], digest: Digest) -> Option<&'a Blobs> {
        let number = *lock(&self.chosen).archives.get(&digest)?;
        holders.get(number).copied()
    }
}

impl Blobs {
    /// The file that a blob begins in.
    fn file_of(&self, digest: Digest) -> &Path {
        let offset = self.blobs.get(&digest).map_or(0, |place| place.offset);
        self.storage.files().place(offset).0
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
