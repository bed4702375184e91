//! The blobs of an archive.

use std::collections::HashMap;
use std::io::{self, Read};
use std::path::Path;

use super::blob::BlobReader;
use super::documents::check_size;
use super::entries::{self, Place};
use super::error::BundleError;
use super::repaired::Repaired;
use crate::digest::Digest;
use crate::lock::Descriptor;

/// The archive's blobs, when their contents are still unknown.
#[derive(Debug)]
pub(super) struct Blobs {
    pub(super) storage: Repaired,
    pub(super) blobs: HashMap<Digest, Place>,
}

impl Blobs {
    /// Whether a file has another sound header than the repaired bundle in some place. No
    /// accident makes one: what repairs it is of another bundle, such as an older one.
    pub(super) fn has_other_headers(&self) -> bool {
        self.blobs.values().any(|place| entries::has_other_header(&self.storage, *place))
    }

    pub(super) fn open(&self, descriptor: &Descriptor) -> Result<BlobReader<'_>, BundleError> {
        let digest = descriptor.digest;
        let place = self.blobs.get(&digest).ok_or(BundleError::Missing(digest))?;
        if place.size != descriptor.size {
            let reason = format!("it has {} bytes instead of {}", place.size, descriptor.size);
            return Err(BundleError::Blob { digest, source: io::Error::other(reason) });
        }
        Ok(BlobReader::new(&self.storage, digest, place.offset, place.size))
    }

    pub(super) fn read(&self, descriptor: &Descriptor, most: u64) -> Result<Vec<u8>, BundleError> {
        read_all(self.open(descriptor)?, descriptor, most)
    }

    /// The file that a blob begins in.
    pub(super) fn file_of(&self, digest: Digest) -> &Path {
        let offset = self.blobs.get(&digest).map_or(0, |place| place.offset);
        self.storage.files().place(offset).0
    }
}

/// The verified bytes of a blob that was opened, at most `most`.
pub(super) fn read_all(
    mut reader: BlobReader<'_>,
    descriptor: &Descriptor,
    most: u64,
) -> Result<Vec<u8>, BundleError> {
    let fail = |source| BundleError::Blob { digest: descriptor.digest, source };
    check_size(descriptor.size, most).map_err(fail)?;
    let mut bytes = Vec::with_capacity(usize::try_from(descriptor.size).unwrap_or(0));
    reader.read_to_end(&mut bytes).map_err(fail)?;
    Ok(bytes)
}
