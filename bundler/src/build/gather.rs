//! Bringing everything that a lock lists into the cache.

use anyhow::{Context, bail};
use bundle_format::Digest;
use bundle_format::bounds::MAX_IMAGE_DOCUMENT;
use bundle_format::image::disagreements;
use bundle_format::lock::{Descriptor, FileKind, Lock, LockedFile, LockedImage, LockedPlatform};
use url::Url;

use super::mirrors::Mirrors;
use super::output::check_folder;
use crate::fetch::download::{DownloadError, Source};
use crate::fetch::memory::Network;
use crate::fetch::queue::{Job, JobError, fetch_all};
use crate::fetch::{Fetch, FetchError, Request};
use crate::image::document;
use crate::libyaml::document::read as read_manifest;
use crate::lock::{
    BESIDE_BUNDLER, Upstreams, apply_patches, beside_bundler, images_of, keep_passes, location,
    read_keys,
};
use crate::manifest::discovery::discover_in;
use crate::manifest::expectation::expectations;
use crate::outage::{Places, Problems};
use crate::progress::Progress;
use crate::spec::SpecFile;

/// Fetches what the cache lacks, and checks what of it says what the lock says.
pub(super) fn gather(
    file: &SpecFile,
    lock: &Lock,
    upstreams: &Upstreams,
    quiet: bool,
) -> anyhow::Result<()> {
    let registry = upstreams.puller.fetch();
    let jobs = jobs(file, lock, upstreams, &*registry)?;
    if upstreams.client.network() == Network::Off {
        refuse_what_is_elsewhere(&jobs)?;
    }
    fetch(jobs, upstreams, quiet)?;
    patched(file, lock, upstreams)?;
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

/// Each blob of the lock that the cache lacks, once, with the places that have it.
fn jobs<'a>(
    file: &SpecFile,
    lock: &Lock,
    upstreams: &'a Upstreams,
    registry: &'a dyn Fetch,
) -> anyhow::Result<Vec<Job<'a>>> {
    let keys = keys(file, lock, upstreams)?;
    let client = &*upstreams.client;
    let mut jobs: Vec<Job<'_>> = Vec::new();
    // What is read here is hashed first; the rest when the bundle is read.
    let is_cached = |blob: &Descriptor| match blob.size {
        ..=MAX_IMAGE_DOCUMENT => upstreams.cache.document(blob).is_ok(),
        _ => upstreams.cache.open(blob.digest, blob.size).is_some(),
    };
    let mut add = |label: &str, blob: &Descriptor, fetch, requests: Vec<Request>| {
        if !is_cached(blob) {
            let sources = requests.into_iter().map(|request| Source { fetch, request }).collect();
            jobs.push(Job {
                label: label.to_owned(),
                digest: blob.digest,
                size: blob.size,
                sources,
            });
        }
    };
    let mut mirrors = Mirrors::of(file, lock, upstreams);
    for rpm in &lock.rpms {
        let blob = Descriptor { media_type: String::new(), digest: rpm.digest, size: rpm.size };
        if is_cached(&blob) {
            continue;
        }
        let urls = std::iter::once(rpm.source.clone()).chain(mirrors.of_package(rpm));
        add(&rpm.package.to_string(), &blob, client, urls.map(Request::new).collect());
    }
    for LockedFile { title, source, content, .. } in &lock.files {
        if keys.iter().any(|key| key.title == *title) {
            continue;
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
            add(&name, document, registry, manifest(&document.digest)?);
        }
        for platform in &image.platforms {
            add(&name, &platform.manifest, registry, manifest(&platform.manifest.digest)?);
            for part in std::iter::once(&platform.config).chain(&platform.layers) {
                add(&name, part, registry, blob(&part.digest)?);
            }
        }
    }
    let mut seen = std::collections::HashSet::new();
    jobs.retain(|job| seen.insert(job.digest));
    Ok(jobs)
}

/// Without a network only local files can still be had.
fn refuse_what_is_elsewhere(jobs: &[Job<'_>]) -> anyhow::Result<()> {
    let elsewhere = jobs.iter().filter_map(|job| {
        let url = job.sources.first()?.request.url.clone();
        let is_elsewhere = url.scheme() != "file";
        is_elsewhere.then(|| format!("{}: {}", job.label, FetchError::Offline { url }))
    });
    let missing: Vec<String> = elsewhere.collect();
    if !missing.is_empty() {
        bail!("{}", missing.join("\n"));
    }
    Ok(())
}

/// Fetches all blobs, or tells all that is in the way.
fn fetch(jobs: Vec<Job<'_>>, upstreams: &Upstreams, quiet: bool) -> anyhow::Result<()> {
    let missing: u64 = jobs.iter().map(|job| job.size).sum();
    if missing == 0 {
        return Ok(());
    }
    check_folder(upstreams.cache.folder(), missing)?;
    let places = places(&jobs);
    places.announce(&upstreams.hosts);
    let progress = Progress::new("fetching", missing, quiet);
    let result = fetch_all(&upstreams.cache, jobs, &|label, count| progress.add(label, count));
    let mut problems = Problems::default();
    if let Err(errors) = result {
        errors.iter().for_each(|error| problems.add_job(error));
        if errors.iter().any(is_changed) {
            problems.line(
                "upstream has other files than the lock says: run `bundler lock` and look at what \
                 it changes"
                    .to_owned(),
            );
        }
    }
    problems.end(&places, &upstreams.hosts)?;
    progress.finish();
    Ok(())
}

/// The hosts that are asked, with what comes from nowhere else.
fn places(jobs: &[Job<'_>]) -> Places {
    let mut places = Places::default();
    for job in jobs {
        for source in &job.sources {
            let only_for = (job.sources.len() == 1).then(|| job.label.clone());
            places.add(&source.request.url, only_for);
        }
    }
    places
}

/// Whether a place has other bytes under the name than when the lock was made.
fn is_changed(error: &JobError) -> bool {
    let DownloadError::Sources(places) = &error.source else { return false };
    places.iter().any(|place| matches!(place, FetchError::Mismatch { .. }))
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
        let mut problems = Problems::default();
        for target in &file.spec.targets {
            read_keys(file, target, upstreams, &mut problems);
        }
        problems.fail()?;
    }
    let changed: Vec<String> = keys
        .iter()
        .filter(is_missing)
        .map(|key| {
            format!(
                "the key {} has changed since the lock was made: run `bundler lock`",
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
        // Nor has it these, where it is older than they are.
        if !locked.expects.is_empty() && expectations(&read) != locked.expects {
            bail!(
                "manifest `{name}` expects another cluster than the lock says: run `bundler lock`"
            );
        }
        if images_of(manifest, &discover_in(&read)) != locked.images {
            bail!("manifest `{name}` names other images than the lock says: run `bundler lock`");
        }
    }
    Ok(())
}

fn source_of_file(file: &SpecFile, source: &str) -> anyhow::Result<Url> {
    if source != BESIDE_BUNDLER {
        return location(file, source);
    }
    let path = beside_bundler().context("finding the installer beside this program")?;
    location(file, &path.display().to_string())
}
