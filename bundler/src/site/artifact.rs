//! The manifest of a bundle in a registry, and of what belongs to it.

use std::collections::BTreeMap;

use bundle_format::Digest;
use bundle_format::archive::blob_name;
use bundle_format::archive::reader::Bundle;
use bundle_format::layout::{BUNDLE_TYPE, FILE_TYPE, Layout, OCI_LAYOUT, TITLE};
use bundle_format::lock::Descriptor;
use bundle_format::oci::{Entry, OCI_MANIFEST};
use distribution::site::artifact::INDEX_NAME;
use serde::Serialize;

/// The annotation with the release of Kubernetes, for people who look at the registry.
pub(super) const VERSION: &str = "org.opencontainers.image.version";
/// The media type of [`EMPTY`].
const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";
/// The config of a manifest that needs none (OCI image spec, "Guidance for an Empty
/// Descriptor").
pub(super) const EMPTY: &[u8] = b"{}";
/// The name of the other file that is no blob, as the layout has it.
const LAYOUT_NAME: &str = "oci-layout";

/// An OCI image manifest with an `artifactType`, in the order in which it is written.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    schema_version: u64,
    media_type: &'static str,
    artifact_type: String,
    config: Entry,
    layers: Vec<Entry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<Entry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<BTreeMap<&'static str, String>>,
}

/// The manifest of a bundle. The layers are in the bundle's order. All have one media type:
/// a registry would take an image's manifest for one that it must have as a manifest.
pub(super) fn of_bundle(bundle: &Bundle, layout: &Layout) -> anyhow::Result<Vec<u8>> {
    let layer = |digest, size, title| {
        Entry::new(&Descriptor { media_type: FILE_TYPE.into(), digest, size }, [(TITLE, title)])
    };
    let files = [(LAYOUT_NAME, OCI_LAYOUT), (INDEX_NAME, &layout.index)];
    let files =
        files.map(|(name, bytes)| layer(Digest::of(bytes), bytes.len() as u64, name.to_owned()));
    let blobs =
        layout.blobs.iter().map(|blob| layer(blob.digest, blob.size, blob_name(blob.digest)));
    let lock = bundle.lock();
    let annotations =
        [(TITLE, format!("{}.tar", lock.name)), (VERSION, lock.kubernetes.to_string())];
    Ok(serde_json::to_vec(&Manifest {
        schema_version: 2,
        media_type: OCI_MANIFEST,
        artifact_type: BUNDLE_TYPE.to_owned(),
        config: Entry::new(bundle.lock_blob(), []),
        layers: files.into_iter().chain(blobs).collect(),
        subject: None,
        annotations: Some(annotations.into()),
    })?)
}

/// The manifest of one file that belongs to the manifest `subject`.
pub(super) fn of_file(
    subject: &Descriptor,
    artifact_type: &str,
    file: &Descriptor,
    name: &str,
) -> anyhow::Result<Vec<u8>> {
    let empty = Descriptor { media_type: EMPTY_TYPE.into(), digest: Digest::of(EMPTY), size: 2 };
    Ok(serde_json::to_vec(&Manifest {
        schema_version: 2,
        media_type: OCI_MANIFEST,
        artifact_type: artifact_type.to_owned(),
        config: Entry::new(&empty, []),
        layers: vec![Entry::new(file, [(TITLE, name.to_owned())])],
        subject: Some(Entry::new(subject, [])),
        annotations: None,
    })?)
}
