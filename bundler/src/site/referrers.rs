//! What belongs to a bundle in a registry: its signature and its software bill of
//! materials. Each is a manifest that names the bundle's as its subject. Where a registry
//! does not list such manifests, they are in an index under a tag (OCI distribution spec,
//! "Referrers Tag Schema").

use std::path::Path;

use anyhow::Context;
use bundle_format::archive::reader::Bundle;
use bundle_format::layout::SBOM_TYPE;
use bundle_format::lock::Descriptor;
use bundle_format::oci::{Document, Entry, OCI_INDEX, OCI_MANIFEST};
use bundle_format::{Digest, input, signature};
use distribution::site::Site;
use distribution::site::referrers::{MAX_SIGNATURE, SIGNATURE_TYPE, in_tag, list};

use super::blob::Blob;
use super::queue::{Job, send};
use super::sessions::Sessions;
use super::{artifact, tags};
use crate::image::registry::{Endpoint, MANIFEST_LIMIT, referrers_tag};
use crate::signing;

/// The media type of a signature.
const TEXT: &str = "text/plain";

/// What was attached.
#[derive(Default)]
pub(super) struct Attached {
    /// How many manifests were written.
    pub(super) written: usize,
    /// What the operator should know.
    pub(super) remark: Option<String>,
}

/// One file that belongs to a bundle.
struct File<'a> {
    artifact_type: &'static str,
    name: String,
    descriptor: Descriptor,
    blob: Blob<'a>,
}

/// Attaches the signature beside the bundle at `path`, and its bill of materials, to the
/// bundle's manifest `subject`.
pub(super) fn attach(
    site: &Site,
    endpoint: &Endpoint,
    sessions: &Sessions,
    subject: &Descriptor,
    bundle: &Bundle,
    path: &Path,
) -> anyhow::Result<Attached> {
    let place = signature::found(path);
    let text = match input::file(&place, MAX_SIGNATURE) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        read => Some(read.with_context(|| format!("reading {}", place.display()))?),
    };
    let mut attached = Attached::default();
    let is_outdated = text.as_deref().is_some_and(|text| signing::is_of_another(text, bundle));
    let text = text.filter(|_| !is_outdated);
    if is_outdated {
        attached.remark =
            Some(format!("{} is of another bundle, and was not pushed", place.display()));
    }
    let name = &bundle.lock().name;
    let signature = text.as_deref().map(|bytes| File {
        artifact_type: SIGNATURE_TYPE,
        name: format!("{name}.tar.minisig"),
        descriptor: descriptor(TEXT, bytes),
        blob: Blob::of_bytes(bytes, "the signature"),
    });
    let sbom = bundle.sbom().map(|sbom| File {
        artifact_type: SBOM_TYPE,
        name: format!("{name}.cdx.json"),
        descriptor: sbom.descriptor.clone(),
        blob: Blob::of_bundle(bundle, &sbom.descriptor, "the bill of materials".to_owned()),
    });
    for file in signature.into_iter().chain(sbom) {
        let bytes = artifact::of_file(subject, file.artifact_type, &file.descriptor, &file.name)?;
        attached.written += attach_one(site, endpoint, sessions, subject, &bytes, file)?;
    }
    Ok(attached)
}

/// Attaches one file. Gives the number of manifests that were written.
fn attach_one(
    site: &Site,
    endpoint: &Endpoint,
    sessions: &Sessions,
    subject: &Descriptor,
    manifest: &[u8],
    file: File<'_>,
) -> anyhow::Result<usize> {
    let own = descriptor(OCI_MANIFEST, manifest);
    let known = list(site, endpoint, subject.digest)?;
    let is_listed = known.iter().any(|entry| entry.digest == own.digest.to_string());
    if is_listed && is_there(site, endpoint, &own.digest.to_string())? {
        return Ok(0);
    }
    let artifact_type = file.artifact_type.to_owned();
    let empty = Blob::of_bytes(artifact::EMPTY, "an empty config");
    let jobs = [file.blob, empty].map(|blob| Job { blob, endpoint, from: None });
    send(site, sessions, jobs.into(), "attaching", true)?;
    let name = own.digest.to_string();
    let answer = tags::put(site, endpoint, &name, OCI_MANIFEST, manifest)?;
    // A registry that lists it says so.
    if answer.header("oci-subject").is_none() {
        // A registry refuses an index that names what somebody has removed.
        let mut entries = Vec::new();
        for entry in in_tag(site, endpoint, subject.digest)? {
            let is_new = entry.digest != own.digest.to_string();
            if is_new && is_there(site, endpoint, &entry.digest)? {
                entries.push(entry);
            }
        }
        let entry = Entry { artifact_type: Some(artifact_type), ..Entry::new(&own, []) };
        entries.push(entry);
        let index = Document {
            schema_version: Some(2),
            media_type: Some(OCI_INDEX.to_owned()),
            manifests: Some(entries),
            ..Document::default()
        };
        let index = serde_json::to_vec(&index)?;
        tags::put(site, endpoint, &referrers_tag(subject.digest), OCI_INDEX, &index)?;
    }
    Ok(1)
}

/// Whether a manifest is there.
fn is_there(site: &Site, endpoint: &Endpoint, name: &str) -> anyhow::Result<bool> {
    Ok(site.document(&endpoint.manifest(name), MANIFEST_LIMIT)?.is_some())
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Descriptor {
    let (media_type, digest) = (media_type.to_owned().into(), Digest::of(bytes));
    Descriptor { media_type, digest, size: bytes.len() as u64 }
}
