//! What names the manifest of a bundle as its subject. Where a registry does not list such
//! manifests, they are in an index under a tag (OCI distribution spec, "Referrers Tag
//! Schema").

use anyhow::Context;
use bundle_format::Digest;
use bundle_format::lock::Descriptor;
use bundle_format::oci::{Document, Entry};

use super::registry::Site;
use crate::fetch::{FetchError, Request};
use crate::registries::referrers::listed;
use crate::registries::registry::{Endpoint, MANIFEST_LIMIT, UNLISTED, referrers_tag};

/// The `artifactType` of a signature of minisign's over the bundle's `index.json`.
pub const SIGNATURE_TYPE: &str = "application/vnd.kubeferry.signature.v1+minisign";
/// The most bytes of a signature. Real ones have some hundred.
pub const MAX_SIGNATURE: u64 = 16 << 10;
/// The most signatures of a bundle that are read.
const MOST_SIGNATURES: usize = 16;

/// The texts of the bundle's signatures, the newest last, and why one could not be read. Who
/// trusts no key needs none of them.
pub fn signatures(
    site: &Site,
    endpoint: &Endpoint,
    subject: Digest,
) -> (Vec<String>, Option<anyhow::Error>) {
    let entries = match list(site, endpoint, subject) {
        Ok(entries) => entries,
        Err(error) => return (Vec::new(), Some(error)),
    };
    let own = entries.iter().filter(|entry| entry.artifact_type.as_deref() == Some(SIGNATURE_TYPE));
    let (mut texts, mut unread) = (Vec::new(), None);
    for entry in own.rev().take(MOST_SIGNATURES) {
        match text(site, endpoint, entry) {
            Ok(text) => texts.push(text),
            Err(error) => unread = Some(error),
        }
    }
    texts.reverse();
    (texts, unread)
}

/// The text of a signature.
fn text(site: &Site, endpoint: &Endpoint, entry: &Entry) -> anyhow::Result<String> {
    let manifest = verified(site, &endpoint.manifest(&entry.digest), &entry.descriptor()?)?;
    let manifest: Document = serde_json::from_slice(&manifest)?;
    let layer = manifest.layers.unwrap_or_default().into_iter().next();
    let layer = layer.context("a signature has no layer")?.descriptor()?;
    Ok(String::from_utf8(verified(site, &endpoint.blob(&layer.digest), &layer)?)?)
}

/// A small document that has its digest.
fn verified(site: &Site, request: &Request, wanted: &Descriptor) -> anyhow::Result<Vec<u8>> {
    let document = site.document(request, MAX_SIGNATURE)?;
    let bytes = document.with_context(|| format!("{} is not there", request.url))?.bytes;
    anyhow::ensure!(Digest::of(&bytes) == wanted.digest, "{} has other bytes", request.url);
    Ok(bytes)
}

/// The manifests that name `subject` as their subject.
pub fn list(site: &Site, endpoint: &Endpoint, subject: Digest) -> anyhow::Result<Vec<Entry>> {
    let read = |request: &Request| site.read(request, MANIFEST_LIMIT);
    let has_none = |error: &FetchError| match error {
        FetchError::Status { status, .. } => UNLISTED.contains(status),
        _ => false,
    };
    match listed(&endpoint.referrers(subject, None), read, has_none)? {
        Some(entries) => Ok(entries),
        None => in_tag(site, endpoint, subject),
    }
}

/// The same, where a registry has them under a tag.
pub fn in_tag(site: &Site, endpoint: &Endpoint, subject: Digest) -> anyhow::Result<Vec<Entry>> {
    let document = site.document(&endpoint.manifest(&referrers_tag(subject)), MANIFEST_LIMIT)?;
    Ok(document.map(|document| entries(&document.bytes)).unwrap_or_default())
}

/// The entries of an index. Something else has none.
fn entries(bytes: &[u8]) -> Vec<Entry> {
    let index: Option<Document> = serde_json::from_slice(bytes).ok();
    index.and_then(|index| index.manifests).unwrap_or_default()
}
