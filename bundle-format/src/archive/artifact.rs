//! A blob of a bundle whose errors name the artifact that it is of.

use std::io::{self, Read};

use super::blob::BlobReader;
use super::blobs::read_all;
use super::error::BundleError;
use super::listed::subject;
use super::reader::Bundle;
use crate::bounds::MAX_YAML;
use crate::lock::Descriptor;

/// Reads a blob, and checks it on the way. An error names the file or the image that the blob
/// is of.
pub struct ArtifactReader<'a> {
    bundle: &'a Bundle,
    blob: Descriptor,
    reader: BlobReader<'a>,
}

impl Read for ArtifactReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            kind => {
                let (subject, digest) = (subject(self.bundle, &self.blob), self.blob.digest);
                io::Error::new(kind, format!("{subject} ({digest}) is damaged: {error}"))
            }
        })
    }
}

impl Bundle {
    /// A reader of the descriptor's blob, from its first byte. If several bundles have it, it
    /// is that of the first one that gives the right bytes. To know this, it is read one time
    /// more; once for each blob.
    pub fn open_blob(&self, blob: &Descriptor) -> Result<ArtifactReader<'_>, BundleError> {
        let reader = self.open_unnamed(blob).map_err(|error| self.named(blob, error))?;
        Ok(ArtifactReader { bundle: self, blob: blob.clone(), reader })
    }

    /// The verified bytes of a file such as Kubernetes YAML, at most 32 MiB.
    pub fn read(&self, blob: &Descriptor) -> Result<Vec<u8>, BundleError> {
        let read = self.open_unnamed(blob).and_then(|reader| read_all(reader, blob, MAX_YAML));
        read.map_err(|error| self.named(blob, error))
    }

    fn named(&self, blob: &Descriptor, error: BundleError) -> BundleError {
        let subject = subject(self, blob).to_string();
        BundleError::Artifact { subject, error: Box::new(error) }
    }
}
