//! Reading a blob of a bundle with errors that name its file or image.

use std::error::Error;
use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

use super::blob::BlobReader;
use super::blobs::read_all;
use super::error::BundleError;
use super::listed::subject;
use super::reader::Bundle;
use crate::bounds::MAX_YAML;
use crate::digest::Digest;
use crate::lock::Descriptor;

/// Reads a blob, and checks it on the way. An error names the file or the image.
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
                io::Error::new(kind, Unreadable { subject, digest, error })
            }
        })
    }
}

/// Why a blob cannot be read: its bytes are others, or its disk or registry does not give them.
#[derive(Debug)]
struct Unreadable {
    subject: Arc<str>,
    digest: Digest,
    error: io::Error,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.subject, self.digest, self.error)
    }
}

impl Error for Unreadable {
    /// The causes of what the text says already.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
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
