//! Cosign 3's signatures over an image. Each is a bundle of Sigstore's in an image manifest of
//! its own, which refers to the image (OCI distribution spec, "Listing Referrers"). A registry
//! that does not list what refers to an image has an index of it with the tag `sha256-<hex>`,
//! which clients keep ("Referrers Tag Schema").

use bundle_format::digest::Digest;
use bundle_format::oci::Entry;
use bundle_format::text::brief;
use distribution::registries::referrers::listed;

use super::found::Found;
use super::pull::{MANIFEST_LIMIT, Puller};
use super::pull_error::PullError;
use super::registry::{Endpoint, UNLISTED, referrers_tag};
use super::sigstore_bundle::{self, MAX_BUNDLE, TYPE};
use super::small_blob;
use crate::fetch::{FetchError, Request};

impl Puller {
    /// What refers to the image that `root` is the digest of, and may be a bundle.
    pub(super) fn referring(
        &self,
        endpoint: &Endpoint,
        root: Digest,
    ) -> Result<Vec<Entry>, PullError> {
        let request = endpoint.referrers(root, Some(sigstore_bundle::READ[0]));
        let read = |request: &Request| self.read(request, MANIFEST_LIMIT);
        let mut all = match listed(&request, read, lists_none)? {
            Some(all) => all,
            None => self.in_tag(endpoint, root)?,
        };
        // Registries need not filter.
        all.retain(|own| own.artifact_type.as_deref().is_some_and(|kind| kind.starts_with(TYPE)));
        Ok(all)
    }

    /// The same, where a registry has them under a tag.
    fn in_tag(&self, endpoint: &Endpoint, root: Digest) -> Result<Vec<Entry>, PullError> {
        let request = endpoint.manifest(&referrers_tag(root));
        let index = match self.read(&request, MANIFEST_LIMIT) {
            Err(PullError::Fetch(FetchError::Status { status: 404, .. })) => return Ok(Vec::new()),
            answer => answer?,
        };
        Ok(small_blob::document(&request, &index.bytes)?.manifests.unwrap_or_default())
    }

    /// The signature in what refers to an image. The error says why it does not count.
    pub(super) fn in_referrer(&self, endpoint: &Endpoint, own: &Entry) -> Result<Found, String> {
        let Ok(named) = own.descriptor() else {
            return Err(format!("its manifest has no SHA-256: {}", brief(&own.digest)));
        };
        let request = endpoint.manifest(&named.digest.to_string());
        let bytes = self.exact(&request, named.digest, MANIFEST_LIMIT, "manifest")?;
        let manifest = small_blob::document(&request, &bytes).map_err(|why| why.to_string())?;
        let layers = manifest.layers.unwrap_or_default();
        let [layer] = &layers[..] else {
            return Err(format!("it has {} layers in place of one bundle", layers.len()));
        };
        let bundle = self.small_blob(endpoint, layer, MAX_BUNDLE, "bundle")?;
        sigstore_bundle::read(&bundle).map_err(|why| why.to_string())
    }
}

/// Whether a registry does not list what refers to an image, as go-containerregistry takes it
/// (`pkg/v1/remote/referrers.go`). Without a network, nobody knows, and the tag may be there.
fn lists_none(error: &PullError) -> bool {
    match error {
        PullError::Fetch(FetchError::Status { status, .. }) => UNLISTED.contains(status),
        PullError::Fetch(FetchError::Offline { .. }) => true,
        _ => false,
    }
}
