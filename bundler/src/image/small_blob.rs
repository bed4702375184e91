//! Small blobs of a registry, read whole.

use bundle_format::digest::Digest;
use bundle_format::oci::Entry;
use bundle_format::text::brief;

use super::pull::Puller;
use super::registry::Endpoint;
use crate::fetch::{Request, with_causes};

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
