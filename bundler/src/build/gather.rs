//! Bringing everything that a lock lists into the cache.

use anyhow::{Context, bail};
use bundle_format::Digest;
use bundle_format::image::disagreements;
use bundle_format::lock::{Descriptor, Lock, LockedFile};
use url::Url;

use super::output::check_folder;
use crate::fetch::download::Source;
use crate::fetch::queue::{Job, fetch_all};
use crate::lock::{Upstreams, apply_patches, images_of, keep_passes, location};
use crate::manifest::discovery::discover;
use crate::progress::Progress;
use crate::spec::SpecFile;

/// The size up to which a blob may be a document: a manifest, a key, an image's
/// configuration.
const DOCUMENT: u64 = 8 << 20;

/// Fetches what the cache lacks, and checks what of it says what the lock says.
pub(super) fn gather(
    file: &SpecFile,
    lock: &Lock,
    upstreams: &Upstreams,
    quiet: bool,
) -> anyhow::Result<()> {
    let registry = upstreams.puller.fetch();
    let client = &*upstreams.client;
    let mut jobs: Vec<Job<'_>> = Vec::new();
    let mut add = |label: &str, blob: &Descriptor, fetch, urls: Vec<Url>| {
        // What is read here is hashed first; the rest when the bundle is read.
        let cached = match blob.size {
            ..=DOCUMENT => upstreams.cache.document(blob).is_ok(),
            _ => upstreams.cache.open(blob.digest, blob.size).is_some(),
        };
        if !cached {
            let sources = urls.into_iter().map(|url| Source { fetch, url }).collect();
            jobs.push(Job {
                label: label.to_owned(),
                digest: blob.digest,
                size: blob.size,
                sources,
            });
        }
    };
    for rpm in &lock.rpms {
        let blob = Descriptor { media_type: String::new(), digest: rpm.digest, size: rpm.size };
        add(&rpm.package.to_string(), &blob, client, vec![rpm.source.clone()]);
    }
    for LockedFile { title, source, content, .. } in &lock.files {
        add(title, content, client, vec![source_of_file(file, source)?]);
    }
    for manifest in &lock.manifests {
        add(&manifest.name, &manifest.upstream, client, vec![location(file, &manifest.source)?]);
    }
    for image in &lock.images {
        let name = image.source.to_string();
        let manifest = |digest: &Digest| upstreams.puller.manifest_urls(&image.source, digest);
        let blob = |digest: &Digest| upstreams.puller.blob_urls(&image.source, digest);
        add(&name, &image.root, &*registry, manifest(&image.root.digest)?);
        for platform in &image.platforms {
            add(&name, &platform.manifest, &*registry, manifest(&platform.manifest.digest)?);
            for part in std::iter::once(&platform.config).chain(&platform.layers) {
                add(&name, part, &*registry, blob(&part.digest)?);
            }
        }
    }
    let mut seen = std::collections::HashSet::new();
    jobs.retain(|job| seen.insert(job.digest));
    let missing: u64 = jobs.iter().map(|job| job.size).sum();
    if missing > 0 {
        check_folder(upstreams.cache.folder(), missing)?;
        let progress = Progress::new("fetching", missing, quiet);
        let result = fetch_all(&upstreams.cache, jobs, &|label, count| progress.add(label, count));
        if let Err(errors) = result {
            let words: Vec<String> = errors.iter().map(ToString::to_string).collect();
            bail!("{}", words.join("\n"));
        }
        progress.finish();
    }
    patched(file, lock, upstreams)?;
    let images = lock.images.iter();
    let disagreements: Vec<String> = images
        .flat_map(|image| disagreements(image, |blob| upstreams.cache.document(blob).ok()))
        .collect();
    if !disagreements.is_empty() {
        bail!(
            "the lock tells other things than the images: run `bundler lock`\n{}",
            disagreements.join("\n")
        );
    }
    Ok(())
}

/// Makes the manifests to apply, which exist at no upstream.
fn patched(file: &SpecFile, lock: &Lock, upstreams: &Upstreams) -> anyhow::Result<()> {
    for locked in &lock.manifests {
        let name = &locked.name;
        let manifest = file.spec.manifests.iter().find(|manifest| manifest.value.name == *name);
        let Some(manifest) = manifest.map(|manifest| &manifest.value) else {
            bail!("the spec has no manifest `{name}` any more: run `bundler lock`");
        };
        let text = String::from_utf8(upstreams.cache.document(&locked.upstream)?)
            .with_context(|| format!("manifest `{name}` is not UTF-8"))?;
        let (applied, _) = apply_patches(manifest, &text)?;
        let digest = upstreams.cache.insert(applied.as_bytes())?;
        if digest != locked.applied.digest || applied.len() as u64 != locked.applied.size {
            bail!(
                "patching manifest `{name}` gives another text than when the lock was made: run `bundler lock`"
            );
        }
        // A lock of an earlier version has none.
        let passes = keep_passes(upstreams, name, &applied)?;
        if !locked.passes.is_empty() && passes != locked.passes {
            bail!(
                "manifest `{name}` is applied in other parts than the lock says: run `bundler lock`"
            );
        }
        if images_of(manifest, &discover(name, &applied)?) != locked.images {
            bail!("manifest `{name}` names other images than the lock says: run `bundler lock`");
        }
    }
    Ok(())
}

fn source_of_file(file: &SpecFile, source: &str) -> anyhow::Result<Url> {
    if source == "beside bundler" {
        let program =
            std::env::current_exe().context("finding the installer beside this program")?;
        let path = program.with_file_name("installer");
        return match Url::from_file_path(&path) {
            Ok(url) => Ok(url),
            Err(()) => bail!("{} cannot be written as a URL", path.display()),
        };
    }
    location(file, source)
}
