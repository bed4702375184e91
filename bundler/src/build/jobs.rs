//! The blobs that must be fetched for a bundle, and their sources.

use anyhow::Context;
use bundle_format::bounds::MAX_IMAGE_DOCUMENT;
use bundle_format::lock::{Descriptor, FileKind, FileSource, LockedFile, LockedImage};
use bundle_format::{BundlePath, Digest};
use url::Url;

use super::mirrors::Mirrors;
use super::task::Task;
use crate::fetch::download::Source;
use crate::fetch::queue::Job;
use crate::fetch::{Fetch, Request};
use crate::lock::installers::beside_bundler;
use crate::spec::SpecFile;
use crate::upstreams::Upstreams;

/// Each blob of the lock that the cache lacks, with its sources. The files in
/// `made` are left out, because no upstream has them.
pub(super) fn jobs<'a>(
    task: &Task<'a>,
    made: &[&LockedFile],
    registry: &'a dyn Fetch,
) -> anyhow::Result<Vec<Job<'a>>> {
    let Task { file, lock, upstreams, .. } = *task;
    let mut all = Jobs { upstreams, jobs: Vec::new() };
    let client = &*upstreams.client;
    let mut mirrors = Mirrors::of(task);
    for rpm in &lock.rpms {
        let blob = Descriptor { media_type: String::new(), digest: rpm.digest, size: rpm.size };
        if all.is_cached(&blob) {
            continue;
        }
        let urls = std::iter::once(rpm.source.clone()).chain(mirrors.of_package(rpm));
        all.add(&rpm.package.to_string(), &blob, client, urls.map(Request::new).collect());
    }
    for own in lock.files.iter().filter(|own| !made.contains(own)) {
        let request = Request::new(source_of_file(file, own)?);
        all.add(&own.path.to_string(), &own.content, client, vec![request]);
    }
    for manifest in &lock.manifests {
        let request = Request::new(match &manifest.rendered {
            Some(_) => kept(file, &manifest.path())?,
            None => file.location(&manifest.source)?,
        });
        all.add(&manifest.name, &manifest.upstream, client, vec![request]);
    }
    for image in &lock.images {
        all.image(image, registry)?;
    }
    Ok(all.jobs)
}

struct Jobs<'a> {
    upstreams: &'a Upstreams,
    jobs: Vec<Job<'a>>,
}

impl<'a> Jobs<'a> {
    fn add(
        &mut self,
        label: &str,
        blob: &Descriptor,
        fetch: &'a dyn Fetch,
        requests: Vec<Request>,
    ) {
        if !self.is_cached(blob) {
            let sources = requests.into_iter().map(|request| Source { fetch, request }).collect();
            let (label, digest, size) = (label.to_owned(), blob.digest, blob.size);
            self.jobs.push(Job { label, digest, size, sources });
        }
    }

    /// The build reads small blobs, so their digests are checked here. The
    /// digests of the others are checked when the finished bundle is read.
    fn is_cached(&self, blob: &Descriptor) -> bool {
        let cache = &self.upstreams.cache;
        match blob.size {
            ..=MAX_IMAGE_DOCUMENT => cache.document(blob).is_ok(),
            _ => cache.open(blob.digest, blob.size).is_some(),
        }
    }

    fn image(&mut self, image: &LockedImage, registry: &'a dyn Fetch) -> anyhow::Result<()> {
        let (name, puller) = (image.source.to_string(), &self.upstreams.puller);
        let manifest = |digest: &Digest| puller.manifest_requests(&image.source, digest);
        let blob = |digest: &Digest| puller.blob_requests(&image.source, digest);
        for document in std::iter::once(&image.root).chain(&image.unplaced) {
            self.add(&name, document, registry, manifest(&document.digest)?);
        }
        for platform in &image.platforms {
            self.add(&name, &platform.manifest, registry, manifest(&platform.manifest.digest)?);
            for part in std::iter::once(&platform.config).chain(&platform.layers) {
                self.add(&name, part, registry, blob(&part.digest)?);
            }
        }
        Ok(())
    }
}

fn source_of_file(file: &SpecFile, own: &LockedFile) -> anyhow::Result<Url> {
    match &own.source {
        _ if own.kind == FileKind::Chart => kept(file, &own.path),
        FileSource::Named(source) => file.location(source),
        FileSource::BesideBundler => {
            let path = beside_bundler().context("finding the installer beside this program")?;
            file.location(&path.display().to_string())
        }
    }
}

/// What `lock` has made or fetched, and keeps beside the spec.
fn kept(file: &SpecFile, path: &BundlePath) -> anyhow::Result<Url> {
    let path = std::path::absolute(file.rendered(&path.file_name()))?;
    file.location(&path.display().to_string())
}
