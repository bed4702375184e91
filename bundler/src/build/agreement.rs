//! Checks that the fetched files agree with the lock.

use anyhow::{Context, bail};
use bundle_format::bounds::MAX_IMAGE_DOCUMENT;
use bundle_format::image::disagreements;
use bundle_format::lock::{LockedImage, LockedManifest, LockedPlatform};

use super::task::Task;
use crate::image::document;
use crate::lock::applied::Applied;
use crate::spec::SpecFile;
use crate::upstreams::Upstreams;

/// Makes the manifests with their patches, which no upstream has, and reads the
/// images' documents. Fails if one of them differs from the lock.
pub(super) fn check(task: &Task<'_>) -> anyhow::Result<()> {
    let Task { file, lock, upstreams, .. } = *task;
    for locked in &lock.manifests {
        manifest(file, locked, upstreams)?;
    }
    let images = lock.images.iter();
    let disagreements: Vec<String> = images
        .flat_map(|image| disagreements(image, |blob| upstreams.cache.document(blob)))
        .collect();
    if !disagreements.is_empty() {
        bail!(
            "the lock and the images do not agree: run `bundler lock`\n{}",
            disagreements.join("\n")
        );
    }
    let cannot_run: Vec<String> =
        lock.images.iter().flat_map(|image| cannot_run(image, upstreams)).collect();
    if !cannot_run.is_empty() {
        bail!("{}", cannot_run.join("\n"));
    }
    Ok(())
}

/// A message for each platform of an image that no node could unpack.
fn cannot_run(image: &LockedImage, upstreams: &Upstreams) -> Vec<String> {
    let check = |platform: &LockedPlatform| {
        let size = platform.config.size;
        if size > MAX_IMAGE_DOCUMENT {
            bail!("its configuration has {size} bytes, which is too large for an image");
        }
        let config = upstreams.cache.document(&platform.config)?;
        anyhow::Ok(document::check_layers(&config, platform.layers.len())?)
    };
    let failed = image.platforms.iter().filter_map(|platform| check(platform).err());
    failed.map(|error| format!("image {}: {error:#}", image.name)).collect()
}

fn manifest(file: &SpecFile, locked: &LockedManifest, upstreams: &Upstreams) -> anyhow::Result<()> {
    let name = &locked.name;
    let manifest = file.spec.manifests.iter().find(|manifest| manifest.value.name == *name);
    let Some(manifest) = manifest.map(|manifest| &manifest.value) else {
        bail!("the spec has no manifest `{name}` any more: run `bundler lock`");
    };
    let text = String::from_utf8(upstreams.cache.document(&locked.upstream)?)
        .with_context(|| format!("manifest `{name}` is not UTF-8"))?;
    let applied = Applied::new(manifest, &text)?;
    let digest = upstreams.cache.insert(applied.text.as_bytes())?;
    if digest != locked.applied.digest || applied.text.len() as u64 != locked.applied.size {
        bail!(
            "with its patches, manifest `{name}` has another text than when the lock was made: run \
             `bundler lock`"
        );
    }
    // A lock of an earlier version does not have the parts.
    let passes = applied.keep_passes(upstreams)?;
    if !locked.passes.is_empty() && passes != locked.passes {
        bail!("manifest `{name}` is applied in other parts than the lock says: run `bundler lock`");
    }
    // Nor does it have the expectations.
    if !locked.expects.is_empty() && applied.expects() != locked.expects {
        bail!("manifest `{name}` expects another cluster than the lock says: run `bundler lock`");
    }
    if applied.images() != locked.images {
        bail!("manifest `{name}` names other images than the lock says: run `bundler lock`");
    }
    Ok(())
}
