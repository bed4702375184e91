//! Whether a lock and an image's own documents agree.

use std::fmt::Display;

use serde::de::DeserializeOwned;

use crate::lock::descriptor::Descriptor;
use crate::lock::image::{LockedImage, LockedPlatform};
use crate::oci::{Document, Entry, Platform, is_index};
use crate::text::brief;

/// The contradictions between the lock and the documents of `image`, from its root
/// and the manifest of each platform to the configuration and the layers. `read`
/// gives a document's bytes. A document that cannot be read is reported too, because
/// it could not be compared.
pub fn disagreements<E: Display>(
    image: &LockedImage,
    read: impl Fn(&Descriptor) -> Result<Vec<u8>, E>,
) -> Vec<String> {
    let read = |blob: &Descriptor| read(blob).map_err(|error| error.to_string());
    let mut comparison = Comparison { image, read: &read, found: Vec::new() };
    comparison.whole();
    comparison.found
}

/// A lock's image, to compare with its documents.
struct Comparison<'a> {
    image: &'a LockedImage,
    read: &'a dyn Fn(&Descriptor) -> Result<Vec<u8>, String>,
    found: Vec<String>,
}

impl Comparison<'_> {
    fn whole(&mut self) {
        let image = self.image;
        let Some(bytes) = self.read(&image.root) else { return };
        let index = match is_index(&image.root.media_type) {
            false => None,
            true => match parse::<Document>(&bytes) {
                Ok(index) => Some(index.manifests.unwrap_or_default()),
                Err(error) => {
                    return self.tell(&format!("{} is not an index: {error}", image.root.digest));
                }
            },
        };
        for platform in &image.platforms {
            self.platform(platform, index.as_deref());
        }
        for manifest in &image.unplaced {
            let is_it = |entry: &Entry| entry.is(manifest) && entry.platform.is_none();
            if !index.iter().flatten().any(is_it) {
                let digest = manifest.digest;
                self.tell(&format!("its index does not name {digest} without a platform"));
            }
        }
    }

    /// Compares a platform's manifest and configuration. `index` has the entries
    /// of the index, if the image has one.
    fn platform(&mut self, platform: &LockedPlatform, index: Option<&[Entry]>) {
        let is_placed = index.is_some_and(|entries| self.is_placed(platform, entries));
        let Some(bytes) = self.read(&platform.manifest) else { return };
        let digest = platform.manifest.digest;
        match parse::<Document>(&bytes) {
            Ok(Document { config: Some(config), layers, .. }) => {
                self.blobs(platform, &config, &layers.unwrap_or_default());
            }
            Ok(_) => {
                self.tell(&format!("{digest} is not an image manifest: it has no configuration"));
            }
            Err(error) => self.tell(&format!("{digest} is not an image manifest: {error}")),
        }
        // Without an entry that has a platform, only the configuration names
        // one. If there is no index, containerd and skopeo accept a
        // configuration without it.
        if !is_placed && let Some(bytes) = self.read(&platform.config) {
            let architecture = platform.architecture;
            let fits = |own: Platform| own.fits(architecture, index.is_none());
            if !parse::<Platform>(&bytes).is_ok_and(fits) {
                self.tell(&format!("its configuration is not one for {architecture}"));
            }
        }
    }

    /// Whether the index gives the manifest a platform. An entry may leave it
    /// out.
    fn is_placed(&mut self, platform: &LockedPlatform, index: &[Entry]) -> bool {
        let LockedPlatform { architecture, manifest, .. } = platform;
        let own: Vec<&Entry> = index.iter().filter(|entry| entry.is(manifest)).collect();
        let mut placed = own.iter().filter_map(|entry| entry.platform.as_ref()).peekable();
        let is_placed = placed.peek().is_some();
        let is_named = match is_placed {
            true => placed.any(|platform| platform.fits(*architecture, false)),
            false => !own.is_empty(),
        };
        if !is_named {
            let digest = manifest.digest;
            self.tell(&format!("its index does not name {digest} for {architecture}"));
        }
        is_placed
    }

    /// Compares the configuration and the layers that a manifest names.
    fn blobs(&mut self, platform: &LockedPlatform, config: &Entry, layers: &[Entry]) {
        let digest = platform.manifest.digest;
        if !config.is(&platform.config) {
            self.tell(&format!("{digest} has another configuration than the lock"));
        }
        let same = layers.len() == platform.layers.len()
            && layers.iter().zip(&platform.layers).all(|(own, locked)| own.is(locked));
        if !same {
            self.tell(&format!(
                "{digest} has other layers than the lock: {} and {}",
                layers.len(),
                platform.layers.len()
            ));
        }
    }

    fn read(&mut self, blob: &Descriptor) -> Option<Vec<u8>> {
        match (self.read)(blob) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                self.tell(&format!("{} could not be compared: {error}", blob.digest));
                None
            }
        }
    }

    fn tell(&mut self, words: &str) {
        self.found.push(format!("image {}: {}", self.image.name, brief(words)));
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(bytes)
}
