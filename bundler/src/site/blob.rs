//! What is sent to a registry as one blob.

use std::collections::HashMap;
use std::io::Read;

use bundle_format::Digest;
use bundle_format::archive::reader::Bundle;
use bundle_format::layout::{Layout, OCI_LAYOUT};
use bundle_format::lock::Descriptor;

/// A blob, and where its bytes are.
pub(super) struct Blob<'a> {
    pub(super) digest: Digest,
    pub(super) size: u64,
    /// What it is, for people.
    pub(super) label: String,
    source: Source<'a>,
}

enum Source<'a> {
    Memory(&'a [u8]),
    Bundle(&'a Bundle, Descriptor),
}

impl<'a> Blob<'a> {
    /// Bytes in memory.
    pub(super) fn of_bytes(bytes: &'a [u8], label: &str) -> Self {
        let (digest, size) = (Digest::of(bytes), bytes.len() as u64);
        Self { digest, size, label: label.to_owned(), source: Source::Memory(bytes) }
    }

    /// A blob of a bundle.
    pub(super) fn of_bundle(bundle: &'a Bundle, blob: &Descriptor, label: String) -> Self {
        let source = Source::Bundle(bundle, blob.clone());
        Self { digest: blob.digest, size: blob.size, label, source }
    }

    /// Reads it from its beginning. A blob of a bundle fails at its end if it has not its
    /// digest.
    pub(super) fn open(&self) -> anyhow::Result<Box<dyn Read + '_>> {
        Ok(match &self.source {
            Source::Memory(bytes) => Box::new(*bytes),
            Source::Bundle(bundle, descriptor) => Box::new(bundle.open_blob(descriptor)?),
        })
    }
}

/// All files of the bundle's layout, in its order.
pub(super) fn of_layout<'a>(bundle: &'a Bundle, layout: &'a Layout) -> Vec<Blob<'a>> {
    let names = names(bundle);
    let documents =
        [Blob::of_bytes(OCI_LAYOUT, "oci-layout"), Blob::of_bytes(&layout.index, "index.json")];
    let blobs = layout.blobs.iter().map(|blob| {
        let label = names.get(&blob.digest).cloned();
        Blob::of_bundle(bundle, blob, label.unwrap_or_else(|| blob.digest.to_string()))
    });
    documents.into_iter().chain(blobs).collect()
}

/// What each blob is: a file, or of an image.
fn names(bundle: &Bundle) -> HashMap<Digest, String> {
    let lock = bundle.lock();
    let mut names = HashMap::new();
    for image in lock.images.iter().chain(lock.hops.iter().flat_map(|hop| &hop.images)) {
        for platform in &image.platforms {
            let layers = platform.layers.iter().chain([&platform.config, &platform.manifest]);
            for blob in layers {
                names.entry(blob.digest).or_insert_with(|| image.name.to_string());
            }
        }
    }
    for file in bundle.contents() {
        names.entry(file.descriptor.digest).or_insert_with(|| file.path.to_string());
    }
    names.insert(bundle.lock_digest(), "the lock".to_owned());
    names
}
