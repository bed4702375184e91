//! A bundle that lacks some of its blobs on purpose, and other bundles that have them.

use std::path::{Path, PathBuf};

use super::blob::BlobReader;
use super::blobs::Blobs;
use super::error::BundleError;
use super::reader::{Archive, Bundle};
use crate::digest::Digest;
use crate::lock::Descriptor;

impl Bundle {
    /// The same bundle, with what it lacks from the bundles at `paths`. Of these, only the
    /// names and sizes of their entries are read: what is taken is checked by the digest that
    /// this bundle has for it, so they need no signature. One that cannot be opened is passed
    /// over if the others have everything.
    pub fn with_others(mut self, paths: &[PathBuf]) -> Result<Self, BundleError> {
        if self.absent.is_empty() && !paths.is_empty() {
            return Err(BundleError::Whole { path: self.own_path() });
        }
        let mut unopened = Vec::new();
        for path in paths {
            let other = match Archive::repaired(path, Ok) {
                Ok(archive) => archive.blobs,
                Err(error) => {
                    unopened.push(error);
                    continue;
                }
            };
            if !self.absent.keys().any(|digest| other.blobs.contains_key(digest)) {
                return Err(BundleError::Useless { path: path.clone(), delta: self.own_path() });
            }
            self.others.archives.push(other);
        }
        if self.lacking().next().is_some()
            && let Some(error) = BundleError::of_all(&mut unopened)
        {
            return Err(error);
        }
        let words =
            |error: &BundleError| format!("{}; the other bundles have all", error.in_full());
        self.others.unopened = unopened.iter().map(words).collect();
        Ok(self)
    }

    /// Whether it has this blob, or a bundle that was named with it.
    pub fn has(&self, digest: Digest) -> bool {
        let mut all = std::iter::once(&self.blobs).chain(&self.others.archives);
        all.any(|one| one.blobs.contains_key(&digest))
    }

    /// The digests and sizes of the blobs that are missing both here and in the bundles that
    /// were named with it.
    pub fn lacking(&self) -> impl Iterator<Item = (Digest, u64)> {
        let all = self.absent.iter().map(|(digest, size)| (*digest, *size));
        all.filter(|(digest, _)| self.lacks(*digest))
    }

    /// Whether it lacks this blob on purpose, and no bundle that was named with it has it.
    pub fn lacks(&self, digest: Digest) -> bool {
        self.absent.contains_key(&digest)
            && self.others.archives.iter().all(|other| !other.blobs.contains_key(&digest))
    }

    /// The same bundle, if nothing of it is lacking.
    pub fn complete(self) -> Result<Self, BundleError> {
        match self.lacking().count() {
            0 => Ok(self),
            blobs => Err(BundleError::Delta { path: self.own_path(), blobs }),
        }
    }

    /// See [`Bundle::open_blob`]. The error does not say what the blob is of.
    pub(super) fn open_unnamed(
        &self,
        descriptor: &Descriptor,
    ) -> Result<BlobReader<'_>, BundleError> {
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

    /// What is wrong with bundles that were named with it, where another one has what they do
    /// not give. Only what was read so far is known.
    pub fn passed_over(&self) -> Vec<String> {
        self.others.passed_over()
    }

    fn own_path(&self) -> PathBuf {
        self.paths().next().unwrap_or(Path::new("")).to_owned()
    }
}
