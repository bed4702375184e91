//! What the manifest of a bundle in a registry says.

use anyhow::{Context, bail};
use bundle_format::bounds::MAX_INDEX;
use bundle_format::layout::{BUNDLE_TYPE, TITLE};
use bundle_format::lock::Descriptor;
use bundle_format::oci::{Document, Entry};
use bundle_format::text::brief;

/// The name of the file that leads to all else, as the layout has it.
pub const INDEX_NAME: &str = "index.json";

/// Where `index.json` is, by the manifest of a bundle. It leads to all else.
pub fn index(bytes: &[u8]) -> anyhow::Result<Descriptor> {
    let manifest: Document = serde_json::from_slice(bytes).context("reading its manifest")?;
    if manifest.artifact_type.as_deref() != Some(BUNDLE_TYPE) {
        bail!("it is no bundle, but {}", what(&manifest));
    }
    let is_index = |layer: &Entry| {
        layer
            .annotations
            .as_ref()
            .is_some_and(|all| all.get(TITLE).is_some_and(|title| title == INDEX_NAME))
    };
    let index = manifest.layers.into_iter().flatten().find(is_index);
    let index = index.with_context(|| format!("its manifest has no {INDEX_NAME}"))?.descriptor()?;
    if index.size > MAX_INDEX {
        bail!("its {INDEX_NAME} would have {} bytes", index.size);
    }
    Ok(index)
}

/// What a manifest is, in words.
pub fn what(manifest: &Document) -> String {
    let config = manifest.config.as_ref().map(|config| config.media_type.as_str());
    match (manifest.artifact_type.as_deref(), config) {
        (Some(BUNDLE_TYPE), _) => "a bundle".to_owned(),
        (Some(other), _) => format!("an artifact of the type {}", brief(other)),
        (None, Some(config)) if config.contains("image") => "a container image".to_owned(),
        (None, Some(config)) => format!("an artifact with the config {}", brief(config)),
        (None, None) => "an index of images".to_owned(),
    }
}
