//! An image's own documents, and whether a lock tells the same of it.

use std::fmt::Display;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::architecture::Architecture;
use crate::lock::{Descriptor, LockedImage, LockedPlatform};
use crate::text::brief;

/// An OCI index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Docker's manifest list.
pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// An OCI image manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Docker's image manifest, schema 2.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// Whether a media type is that of an index.
pub fn is_index(media_type: &str) -> bool {
    matches!(media_type, OCI_INDEX | DOCKER_LIST)
}

/// Whether a media type is that of an image manifest.
pub fn is_manifest(media_type: &str) -> bool {
    matches!(media_type, OCI_MANIFEST | DOCKER_MANIFEST)
}

#[derive(Deserialize)]
struct Index {
    #[serde(default)]
    manifests: Option<Vec<Entry>>,
}

/// Digests stay texts: a platform that is not carried may have others.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    media_type: String,
    digest: String,
    size: u64,
    #[serde(default)]
    platform: Option<Platform>,
}

#[derive(Deserialize)]
struct Platform {
    #[serde(default)]
    os: Option<String>,
    #[serde(default)]
    architecture: Option<String>,
}

#[derive(Deserialize)]
struct Manifest {
    config: Entry,
    #[serde(default)]
    layers: Option<Vec<Entry>>,
}

impl Entry {
    fn is(&self, descriptor: &Descriptor) -> bool {
        self.media_type == descriptor.media_type
            && self.digest == descriptor.digest.to_string()
            && self.size == descriptor.size
    }

    fn is_placed(&self) -> bool {
        self.platform.is_some()
    }
}

impl Platform {
    /// Whether it is the one of `architecture`.
    fn is(&self, architecture: Architecture) -> bool {
        self.os.as_deref() == Some("linux")
            && self.architecture.as_deref() == Some(architecture.oci())
    }

    /// Whether it says nothing against it: where there is no index, containerd
    /// and skopeo do without what a configuration leaves out.
    fn may_be(&self, architecture: Architecture) -> bool {
        let fits = |own: &Option<String>, wanted: &str| {
            own.as_deref().is_none_or(|own| own.is_empty() || own == wanted)
        };
        fits(&self.os, "linux") && fits(&self.architecture, architecture.oci())
    }
}

/// Where the lock tells of `image` what the image's own documents do not: from
/// its root by each platform's manifest to the configuration and the layers.
/// `read` gives a document's bytes. What it cannot give could not be compared, and
/// is told as well: nobody may take it for the same.
pub fn disagreements<E: Display>(
    image: &LockedImage,
    read: impl Fn(&Descriptor) -> Result<Vec<u8>, E>,
) -> Vec<String> {
    let mut found = Vec::new();
    let name = &image.name;
    let mut tell = |words: String| found.push(format!("image {name}: {}", brief(&words)));
    let read = |blob: &Descriptor, tell: &mut dyn FnMut(String)| match read(blob) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            tell(format!("{} could not be compared: {error}", blob.digest));
            None
        }
    };
    let Some(root) = read(&image.root, &mut tell) else { return found };
    let index: Option<Index> = match is_index(&image.root.media_type) {
        true => match parse(&root) {
            Ok(index) => Some(index),
            Err(error) => {
                tell(format!("{} is no index: {error}", image.root.digest));
                return found;
            }
        },
        false => None,
    };
    for platform in &image.platforms {
        let architecture = platform.architecture;
        let digest = platform.manifest.digest;
        // An entry may leave its platform out.
        let mut placed = false;
        if let Some(index) = &index {
            let entries = || entries(index).filter(|entry| entry.is(&platform.manifest));
            placed = entries().any(Entry::is_placed);
            let says =
                |entry: &Entry| entry.platform.as_ref().is_some_and(|own| own.is(architecture));
            let named = match placed {
                true => entries().any(says),
                false => entries().next().is_some(),
            };
            if !named {
                tell(format!("its index does not name {digest} for {architecture}"));
            }
        }
        let Some(bytes) = read(&platform.manifest, &mut tell) else { continue };
        match parse::<Manifest>(&bytes) {
            Ok(manifest) => compare(&manifest, platform, &mut tell),
            Err(error) => tell(format!("{digest} is no image manifest: {error}")),
        }
        // Then only the configuration says what it runs on.
        if !placed && let Some(bytes) = read(&platform.config, &mut tell) {
            let fits = |own: Platform| match index {
                Some(_) => own.is(architecture),
                None => own.may_be(architecture),
            };
            if !parse::<Platform>(&bytes).is_ok_and(fits) {
                tell(format!("its configuration is not one for {architecture}"));
            }
        }
    }
    for manifest in &image.unplaced {
        let is_it = |entry: &Entry| entry.is(manifest) && !entry.is_placed();
        if !index.iter().flat_map(entries).any(is_it) {
            tell(format!("its index does not name {} without a platform", manifest.digest));
        }
    }
    found
}

fn entries(index: &Index) -> impl Iterator<Item = &Entry> {
    index.manifests.iter().flatten()
}

fn compare(manifest: &Manifest, platform: &LockedPlatform, tell: &mut impl FnMut(String)) {
    let digest = platform.manifest.digest;
    if !manifest.config.is(&platform.config) {
        tell(format!("{digest} has another configuration than the lock"));
    }
    let layers = manifest.layers.as_deref().unwrap_or_default();
    let same = layers.len() == platform.layers.len()
        && layers.iter().zip(&platform.layers).all(|(own, locked)| own.is(locked));
    if !same {
        tell(format!(
            "{digest} has other layers than the lock: {} and {}",
            layers.len(),
            platform.layers.len()
        ));
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(bytes)
}
