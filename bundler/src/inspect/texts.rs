//! Finds the texts whose digests a lock has: in a bundle, in the cache, or in a file
//! beside the spec.

use std::path::PathBuf;

use bundle_format::archive::reader::Bundle;
use bundle_format::bounds::MAX_YAML;
use bundle_format::lock::Descriptor;
use bundle_format::{Digest, input};

use crate::fetch::cache::Cache;

/// The places to look in.
#[derive(Default)]
pub struct Texts<'a> {
    /// The bundles that are compared.
    pub bundles: Vec<&'a Bundle>,
    /// The cache of what was fetched before.
    pub cache: Option<Cache>,
    /// The folders of specs, with the files that a lock names.
    pub folders: Vec<PathBuf>,
}

impl Texts<'_> {
    /// The bytes of a small blob, if they have its digest. `source` is the blob's
    /// source in the lock. `None` if no place has the blob.
    pub(super) fn bytes(&self, blob: &Descriptor, source: &str) -> Option<Vec<u8>> {
        if blob.size > MAX_YAML {
            return None;
        }
        let of_bundle = self.bundles.iter().find_map(|bundle| bundle.read(blob).ok());
        let of_cache = || self.cache.as_ref().and_then(|cache| cache.document(blob).ok());
        of_bundle.or_else(of_cache).or_else(|| self.of_file(blob, source))
    }

    fn of_file(&self, blob: &Descriptor, source: &str) -> Option<Vec<u8>> {
        if source.contains("://") {
            return None;
        }
        let mut files = self.folders.iter().map(|folder| folder.join(source));
        files.find_map(|path| {
            let bytes = input::file(&path, blob.size).ok()?;
            (Digest::of(&bytes) == blob.digest).then_some(bytes)
        })
    }
}
