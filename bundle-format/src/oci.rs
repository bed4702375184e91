//! An index, an image manifest and the descriptors in them, as registries, other
//! tools and bundles write them (OCI image spec, `image-index.md`, `manifest.md` and
//! `descriptor.md`; docker's types have the same fields). `docs/design.md` says why
//! these are not the types of the crate `oci-spec`.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::architecture::Architecture;
use crate::digest::DigestError;
use crate::lock::descriptor::{Descriptor, media_type};

/// An OCI index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Docker's manifest list.
pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// An OCI image manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Docker's image manifest, schema 2.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// Whether this is the media type of an index.
pub fn is_index(media_type: &str) -> bool {
    matches!(media_type, OCI_INDEX | DOCKER_LIST)
}

/// Whether this is the media type of an image manifest.
pub fn is_manifest(media_type: &str) -> bool {
    matches!(media_type, OCI_MANIFEST | DOCKER_MANIFEST)
}

/// An index, which has `manifests`, or an image manifest, which has `config`. Most
/// fields are optional: Go writes an empty list as `null`, and tools leave out what
/// containerd does not need.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Document {
    /// Always 2. Docker's old format has 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema_version: Option<u64>,
    /// Its own media type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// What it is, if it is not an image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// An image's configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Entry>,
    /// An image's layers, the lowest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layers: Option<Vec<Entry>>,
    /// An index's manifests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manifests: Option<Vec<Entry>>,
}

/// A descriptor, with the fields around it. Its digest is a text, because an entry
/// that the bundle leaves out may have a digest of another algorithm.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The blob's media type.
    pub media_type: String,
    /// The blob's digest.
    pub digest: String,
    /// The blob's size in bytes.
    pub size: u64,
    /// What it is, if it is not an image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Annotations, such as names, titles and the mark of an attestation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
    /// The platform that it runs on. Some tools write it only in the image's
    /// configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// Where a foreign layer is fetched from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub urls: Option<Vec<String>>,
}

/// The platform of an entry, or of an image's configuration. A field that is left out
/// is empty.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Platform {
    /// Go's `GOOS`.
    #[serde(default, deserialize_with = "or_empty")]
    pub os: String,
    /// Go's `GOARCH`.
    #[serde(default, deserialize_with = "or_empty")]
    pub architecture: String,
    /// For example `v8` of arm64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

impl Entry {
    /// The entry of a blob, with these annotations.
    pub fn new<const N: usize>(blob: &Descriptor, annotations: [(&str, String); N]) -> Self {
        let annotations = annotations.map(|(key, value)| (key.to_owned(), value));
        Self {
            media_type: blob.media_type.to_string(),
            digest: blob.digest.to_string(),
            size: blob.size,
            artifact_type: None,
            annotations: (N > 0).then(|| annotations.into()),
            platform: None,
            urls: None,
        }
    }

    /// The descriptor of the blob. Fails if the digest is not SHA-256.
    pub fn descriptor(&self) -> Result<Descriptor, DigestError> {
        let digest = self.digest.parse()?;
        Ok(Descriptor { media_type: media_type(&self.media_type), digest, size: self.size })
    }

    /// Whether it is the entry of this blob.
    pub(crate) fn is(&self, blob: &Descriptor) -> bool {
        self.media_type == blob.media_type
            && self.digest == blob.digest.to_string()
            && self.size == blob.size
    }
}

impl Platform {
    /// Whether it is Linux on this architecture. With `lenient`, a platform that
    /// leaves these out fits too.
    pub fn fits(&self, architecture: Architecture, lenient: bool) -> bool {
        let fits = |own: &str, wanted| own == wanted || lenient && own.is_empty();
        fits(&self.os, "linux") && fits(&self.architecture, architecture.oci())
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = |text: &str| if text.is_empty() { "unsaid".to_owned() } else { text.to_owned() };
        write!(f, "{}/{}", said(&self.os), said(&self.architecture))?;
        match self.variant.as_deref() {
            None | Some("") => Ok(()),
            Some(variant) => write!(f, "/{variant}"),
        }
    }
}

fn or_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
