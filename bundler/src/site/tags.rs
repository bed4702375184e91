//! Manifests, which give a repository's blobs their name. They come last, so that nobody
//! sees half of anything.

use std::collections::BTreeMap;

use anyhow::bail;
use bundle_format::Digest;
use bundle_format::layout::TITLE;
use bundle_format::oci::Document;
use bundle_format::text::brief;
use distribution::site::artifact::what;
use distribution::site::registry::{Answer, Site};
use serde::Deserialize;

use super::artifact::VERSION;
use super::refusal;
use crate::image::pull::MANIFEST_LIMIT;
use crate::image::registry::Endpoint;

/// What a tag names before it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    /// Nothing, or something that may be replaced.
    Free,
    /// The wanted manifest.
    Same,
}

/// Looks at what `name` is in a repository. Fails if it is none of `wanted`, unless it may
/// be replaced.
pub(super) fn look(
    site: &Site,
    endpoint: &Endpoint,
    name: &str,
    wanted: &[Digest],
    replace: bool,
) -> anyhow::Result<Tag> {
    let request = endpoint.manifest(name);
    let Some(document) = site.document(&request, MANIFEST_LIMIT)? else { return Ok(Tag::Free) };
    let found = Digest::of(&document.bytes);
    if wanted.contains(&found) {
        return Ok(Tag::Same);
    }
    if !replace {
        bail!(
            "{} names {}, {found}; choose another tag, or replace it with --replace",
            request.url,
            described(&document.bytes)
        );
    }
    Ok(Tag::Free)
}

/// What a manifest is, with the name that it gives itself.
fn described(bytes: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Named {
        #[serde(default)]
        annotations: BTreeMap<String, String>,
    }
    let kind = serde_json::from_slice::<Document>(bytes);
    let kind = kind.map_or_else(|_| "something else".to_owned(), |manifest| what(&manifest));
    let named = serde_json::from_slice::<Named>(bytes).ok();
    let said = |key: &str| named.as_ref()?.annotations.get(key).map(|text| brief(text));
    match (said(TITLE), said(VERSION)) {
        (Some(title), Some(version)) => format!("{kind}, {title} of Kubernetes {version}"),
        _ => kind,
    }
}

/// Puts a manifest, and gives the registry's answer.
pub(super) fn put(
    site: &Site,
    endpoint: &Endpoint,
    name: &str,
    media_type: &str,
    bytes: &[u8],
) -> anyhow::Result<Answer> {
    try_to_put(site, endpoint, name, media_type, bytes)?
}

/// The same for a manifest that the registry may refuse for what it names: that is the
/// inner error.
pub(super) fn try_to_put(
    site: &Site,
    endpoint: &Endpoint,
    name: &str,
    media_type: &str,
    bytes: &[u8],
) -> anyhow::Result<Result<Answer, anyhow::Error>> {
    let request = endpoint.put_manifest(name, media_type, bytes);
    let answer = site.ask(&request).map_err(refusal::in_words)?;
    match answer.status {
        200 | 201 => Ok(Ok(answer)),
        // MANIFEST_BLOB_UNKNOWN and MANIFEST_INVALID (OCI distribution spec, "Error Codes").
        400 | 404 => Ok(Err(refusal::of(&request.url, &answer))),
        _ => Err(refusal::of(&request.url, &answer)),
    }
}
