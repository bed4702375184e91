//! Cosign 2's signatures over an image. They are the layers of an image manifest with the tag
//! `sha256-<hex>.sig` in the image's own repository: a layer is a payload, and its annotations
//! have the signature, the certificate and the log's entry.

use bundle_format::digest::Digest;
use bundle_format::oci::Entry;

use super::found::Found;
use super::payload::MAX_PAYLOAD;
use super::pull::{MANIFEST_LIMIT, Puller};
use super::pull_error::PullError;
use super::registry::Endpoint;
use super::small_blob;
use crate::fetch::FetchError;

/// The annotation with the signature, in base64.
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// The annotation with the certificate, as a PEM text.
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
/// The annotation with the log's entry, as JSON.
const ENTRY: &str = "dev.sigstore.cosign/bundle";
/// The media type of a payload.
const PAYLOAD_TYPE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

impl Puller {
    /// The layers that are signatures over the image that `root` is the digest of.
    pub(super) fn tagged(
        &self,
        endpoint: &Endpoint,
        root: Digest,
    ) -> Result<Vec<Entry>, PullError> {
        let request = endpoint.manifest(&format!("sha256-{}.sig", root.hex()));
        let manifest = match self.read(&request, MANIFEST_LIMIT) {
            Err(PullError::Fetch(FetchError::Status { status: 404, .. })) => return Ok(Vec::new()),
            answer => answer?.bytes,
        };
        let mut layers = small_blob::document(&request, &manifest)?.layers.unwrap_or_default();
        layers.retain(|layer| {
            layer.media_type == PAYLOAD_TYPE && annotation(layer, SIGNATURE).is_some()
        });
        Ok(layers)
    }

    /// The signature that a layer is. The error says why it does not count.
    pub(super) fn in_layer(&self, endpoint: &Endpoint, layer: &Entry) -> Result<Found, String> {
        let payload = self.small_blob(endpoint, layer, MAX_PAYLOAD, "payload")?;
        let signature = annotation(layer, SIGNATURE).unwrap_or_default();
        let (certificate, entry) = (annotation(layer, CERTIFICATE), annotation(layer, ENTRY));
        Ok(Found::annotated(payload, signature, certificate, entry))
    }
}

fn annotation<'a>(layer: &'a Entry, name: &str) -> Option<&'a str> {
    layer.annotations.as_ref()?.get(name).map(String::as_str)
}
