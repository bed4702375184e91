//! Bringing everything that a lock lists into the cache.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bundle_format::Digest;
use bundle_format::bounds::MAX_IMAGE_DOCUMENT;
use bundle_format::image::disagreements;
use bundle_format::lock::{Descriptor, FileKind, Lock, LockedFile, LockedImage, LockedPlatform};
use url::Url;

use super::output::check_folder;
use crate::fetch::Request;
use crate::fetch::download::Source;
use crate::fetch::queue::{Job, fetch_all};
use crate::image::document;
use crate::lock::{Upstreams, apply_patches, images_of, keep_passes, location, read_keys};
use crate::manifest::discovery::discover_in;
use crate::manifest::document::read as read_manifest;
use crate::progress::Progress;
use crate::spec::SpecFile;

/// What stands in a lock for the installer that lies beside this program.
const BESIDE_BUNDLER: &str = "beside bundler";

/// Fetches what the cache lacks, and checks what of it says what the lock says.
pub(super) fn gather(
    file: &SpecFile,
    lock: &Lock,
    upstreams: &Upstreams,
    quiet: bool,
) -> anyhow::Result<()> {
    let keys = keys(file, lock, upstreams)?;
    let registry = upstreams.puller.fetch();
    let client = &*upstreams.client;
    let mut jobs: Vec<Job<'_>> = Vec::new();
    let mut add = |label: &str, blob: &Descriptor, fetch, requests: Vec<Request>| {
        // What is read here is hashed first; the rest when the bundle is read.
        let cached = match blob.size {
            ..=MAX_IMAGE_DOCUMENT => upstreams.cache.document(blob).is_ok(),
            _ => upstreams.cache.open(blob.digest, blob.size).is_some(),
        };
        if !cached {
            let sources = requests.into_iter().map(|request| Source { fetch, request }).collect();
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
        add(&rpm.package.to_string(), &blob, client, vec![Request::new(rpm.source.clone())]);
    }
    for LockedFile { title, source, content, .. } in &lock.files {
        if keys.iter().any(|key| key.title == *title) {
            continue;
        }
        if source == BESIDE_BUNDLER && upstreams.cache.open(content.digest, content.size).is_none()
        {
            is_the_locked_one(&installer_beside()?, content)?;
        }
        add(title, content, client, vec![Request::new(source_of_file(file, source)?)]);
    }
    for manifest in &lock.manifests {
        let request = Request::new(location(file, &manifest.source)?);
        add(&manifest.name, &manifest.upstream, client, vec![request]);
    }
    for image in &lock.images {
        let name = image.source.to_string();
        let manifest = |digest: &Digest| upstreams.puller.manifest_requests(&image.source, digest);
        let blob = |digest: &Digest| upstreams.puller.blob_requests(&image.source, digest);
        for document in std::iter::once(&image.root).chain(&image.unplaced) {
            add(&name, document, &*registry, manifest(&document.digest)?);
        }
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
        .flat_map(|image| disagreements(image, |blob| upstreams.cache.document(blob)))
        .collect();
    if !disagreements.is_empty() {
        bail!(
            "the lock tells other things than the images: run `bundler lock`\n{}",
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

/// Makes the keys of the lock anew where the cache lacks one: what the bundle
/// carries of a key may be united of several copies, and then is at no upstream.
fn keys<'a>(
    file: &SpecFile,
    lock: &'a Lock,
    upstreams: &Upstreams,
) -> anyhow::Result<Vec<&'a LockedFile>> {
    let keys: Vec<_> = lock.files.iter().filter(|file| file.kind == FileKind::Key).collect();
    let is_missing = |key: &&&LockedFile| upstreams.cache.document(&key.content).is_err();
    if keys.iter().any(|key| is_missing(&key)) {
        for target in &file.spec.targets {
            read_keys(file, target, upstreams)?;
        }
    }
    let changed: Vec<String> = keys
        .iter()
        .filter(is_missing)
        .map(|key| {
            format!(
                "the key {} is another than when the lock was made: run `bundler lock`",
                key.source
            )
        })
        .collect();
    if !changed.is_empty() {
        bail!("{}", changed.join("\n"));
    }
    Ok(keys)
}

/// Words for each platform of an image that no node could unpack.
fn cannot_run(image: &LockedImage, upstreams: &Upstreams) -> Vec<String> {
    let check = |platform: &LockedPlatform| {
        let size = platform.config.size;
        if size > MAX_IMAGE_DOCUMENT {
            bail!("its configuration has {size} bytes, as none has");
        }
        let config = upstreams.cache.document(&platform.config)?;
        anyhow::Ok(document::check_layers(&config, platform.layers.len())?)
    };
    let failed = image.platforms.iter().filter_map(|platform| check(platform).err());
    failed.map(|error| format!("image {}: {error:#}", image.name)).collect()
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
        let read = read_manifest(name, &applied)?;
        // A lock of an earlier version has none.
        let passes = keep_passes(upstreams, &read, &applied)?;
        if !locked.passes.is_empty() && passes != locked.passes {
            bail!(
                "manifest `{name}` is applied in other parts than the lock says: run `bundler lock`"
            );
        }
        if images_of(manifest, &discover_in(&read)) != locked.images {
            bail!("manifest `{name}` names other images than the lock says: run `bundler lock`");
        }
    }
    Ok(())
}

fn source_of_file(file: &SpecFile, source: &str) -> anyhow::Result<Url> {
    if source == BESIDE_BUNDLER {
        let path = installer_beside()?;
        return match Url::from_file_path(&path) {
            Ok(url) => Ok(url),
            Err(()) => bail!("{} cannot be written as a URL", path.display()),
        };
    }
    location(file, source)
}

fn installer_beside() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe().context("finding the installer beside this program")?;
    Ok(program.with_file_name("installer"))
}

/// Whoever has updated both programs is told what to do.
fn is_the_locked_one(path: &Path, content: &Descriptor) -> anyhow::Result<()> {
    let read = File::open(path).and_then(|mut file| Digest::of_reader(&mut file));
    let read = read.with_context(|| format!("reading the installer {}", path.display()))?;
    if read != (content.digest, content.size) {
        bail!(
            "{} is another installer than when the lock was made: run `bundler lock`",
            path.display()
        );
    }
    Ok(())
}
