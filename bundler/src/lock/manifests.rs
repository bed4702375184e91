//! A spec's manifests: fetched, pinned, patched, and read for images.

use anyhow::{Context, bail};
use bundle_format::layout::YAML_TYPE;
use bundle_format::lock::{Descriptor, Edit, LockedManifest, Why};
use bundle_format::{Digest, ImageReference};

use super::{Upstreams, files};
use crate::manifest::discovery::{Discovery, Found, discover};
use crate::manifest::document::MAX_BYTES;
use crate::manifest::patch;
use crate::spec::{Manifest, SpecFile};

/// A manifest's part of the lock.
pub(super) struct Locked {
    pub(super) manifest: LockedManifest,
    pub(super) found: Vec<Found>,
    pub(super) warnings: Vec<String>,
}

impl Found {
    /// The reason for an image that the manifest called `manifest` names.
    pub(super) fn why(&self, manifest: &str) -> Why {
        Why::Manifest {
            manifest: manifest.to_owned(),
            document: self.document.clone(),
            path: self.path.clone(),
        }
    }
}

pub(super) fn lock(
    file: &SpecFile,
    manifest: &Manifest,
    upstreams: &Upstreams,
) -> anyhow::Result<Locked> {
    let source = manifest.url.as_deref().or(manifest.file.as_deref()).unwrap_or_default();
    let bytes = files::read_location(file, upstreams, source, MAX_BYTES)?;
    let digest = Digest::of(&bytes);
    if let Some(wanted) = &manifest.sha256
        && *wanted != digest.hex()
    {
        bail!(
            "{source} has the sha256 {}, and the spec says {wanted}: upstream changed it, or somebody on the way did",
            digest.hex()
        );
    }
    let text = String::from_utf8(bytes).with_context(|| format!("{source} is not UTF-8"))?;
    let (applied, patches) = apply_patches(manifest, &text)?;
    let discovery = discover(&manifest.name, &applied)?;
    let mut warnings = Vec::new();
    for guess in &discovery.guesses {
        warnings.push(format!(
            "manifest {}, line {}: `{}` may be an image ({}); list it under `images:` if it is",
            manifest.name, guess.line, guess.text, guess.why
        ));
    }
    if let Some(line) = discovery.pulls_always.first() {
        warnings.push(format!(
            "manifest {}, line {line}: `imagePullPolicy: Always` asks a registry at every start, which an air-gapped node has not; patch it with `pullPolicy: IfNotPresent`",
            manifest.name
        ));
    }
    let images = images_of(manifest, &discovery);
    let found: Vec<Found> =
        discovery.found.into_iter().filter(|found| images.contains(&found.image)).collect();
    let manifest = LockedManifest {
        name: manifest.name.clone(),
        source: source.to_owned(),
        upstream: described(upstreams, &text)?,
        applied: described(upstreams, &applied)?,
        patches,
        images,
    };
    Ok(Locked { manifest, found, warnings })
}

/// The images that the manifest needs, sorted: those that were discovered in it
/// but what the spec ignores.
pub fn images_of(manifest: &Manifest, discovery: &Discovery) -> Vec<ImageReference> {
    let ignored = &manifest.ignore_images;
    let found = discovery.found.iter().map(|found| &found.image);
    let mut images: Vec<_> = found.filter(|image| !ignored.contains(image)).cloned().collect();
    images.sort();
    images.dedup();
    images
}

/// The manifest's text with the spec's patches, and what they changed.
pub fn apply_patches(manifest: &Manifest, text: &str) -> anyhow::Result<(String, Vec<Edit>)> {
    Ok(patch::apply(&manifest.patches, &manifest.name, text)?)
}

fn described(upstreams: &Upstreams, text: &str) -> anyhow::Result<Descriptor> {
    let digest = upstreams.cache.insert(text.as_bytes())?;
    Ok(Descriptor { media_type: YAML_TYPE.to_owned(), digest, size: text.len() as u64 })
}
