//! Small blobs of a registry, read whole, and the documents that name them.

use bundle_format::digest::Digest;
use bundle_format::oci::{Document, Entry};
use bundle_format::text::brief;

use super::document::DocumentError;
use super::pull::Puller;
use super::pull_error::PullError;
use super::registry::Endpoint;
use crate::fetch::{Request, with_causes};

/// Reads the answer to a request as an index or an image manifest. It need not be of an image.
pub(super) fn document(request: &Request, bytes: &[u8]) -> Result<Document, PullError> {
    serde_json::from_slice(bytes).map_err(|error| PullError::Document {
        url: Box::new(request.url.clone()),
        source: DocumentError::Malformed(brief(&error.to_string())),
    })
}

impl Puller {
    /// The bytes of a blob that `entry` names. `what` it is stands in the error, which says why
    /// it does not count.
    pub(super) fn small_blob(
        &self,
        endpoint: &Endpoint,
        entry: &Entry,
        limit: u64,
        what: &str,
    ) -> Result<Vec<u8>, String> {
        let Ok(blob) = entry.descriptor() else {
            return Err(format!("its {what} has no SHA-256: {}", brief(&entry.digest)));
        };
        if blob.size > limit {
            return Err(format!("its {what} has {} bytes, as no real one has", blob.size));
        }
        self.exact(&endpoint.blob(&blob.digest), blob.digest, limit, what)
    }

    /// The answer to a request, which must have this digest.
    pub(super) fn exact(
        &self,
        request: &Request,
        digest: Digest,
        limit: u64,
        what: &str,
    ) -> Result<Vec<u8>, String> {
        let bytes = self.read(request, limit).map_err(|error| with_causes(&error))?.bytes;
        match Digest::of(&bytes) == digest {
            true => Ok(bytes),
            false => Err(format!("its {what} does not have the digest that its manifest gives")),
        }
    }
}
