//! The documents by which a bundle is opened. Nothing in them is trusted.

use std::io;

use super::entries::Place;
use super::error::BundleError;
use super::repaired::Repaired;
use crate::digest::DigestError;
use crate::document::walk;
use crate::layout::BUNDLE_TYPE;
use crate::lock::Descriptor;
use crate::oci::{self, Document};
use crate::text::brief;

/// The descriptor of the bundle manifest, if `index.json` has one.
pub fn bundle_manifest(index: &[u8]) -> Result<Option<Descriptor>, BundleError> {
    let index: Document = parse("index", index)?;
    let is_it = |entry: &&oci::Entry| entry.artifact_type.as_deref() == Some(BUNDLE_TYPE);
    index.manifests.iter().flatten().find(is_it).map(|entry| described("index", entry)).transpose()
}

/// The descriptor in an entry of a document.
pub(super) fn described(
    document: &'static str,
    entry: &oci::Entry,
) -> Result<Descriptor, BundleError> {
    let senseless =
        |error: DigestError| BundleError::Document { document, reason: brief(&error.to_string()) };
    entry.descriptor().map_err(senseless)
}

/// Reads a document of the bundle. It has not too many values for that.
pub(super) fn parse<T: serde::de::DeserializeOwned>(
    document: &'static str,
    bytes: &[u8],
) -> Result<T, BundleError> {
    walk(bytes, |_, _| ())
        .and_then(|()| serde_json::from_slice(bytes))
        .map_err(|error| BundleError::Document { document, reason: brief(&error.to_string()) })
}

/// The bytes of a small entry, which nobody has checked.
pub(super) fn document(storage: &Repaired, place: Place, most: u64) -> io::Result<Vec<u8>> {
    check_size(place.size, most)?;
    let mut bytes = vec![0; usize::try_from(place.size).map_err(io::Error::other)?];
    storage.read_exact_at(&mut bytes, place.offset)?;
    Ok(bytes)
}

/// Fails if a document is larger than any of its kind.
pub(super) fn check_size(size: u64, most: u64) -> io::Result<()> {
    if size > most {
        let words = format!("it has {size} bytes, and no such document has more than {most}");
        return Err(io::Error::other(words));
    }
    Ok(())
}
