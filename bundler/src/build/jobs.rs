//! The blobs that must be fetched for a bundle, and their sources.

use std::sync::Arc;

use anyhow::Context;
use bundle_format::BundlePath;
use bundle_format::bounds::MAX_IMAGE_DOCUMENT;
use bundle_format::lock::{Descriptor, FileKind, FileSource, LockedFile, LockedImage};
use url::Url;

use super::mirrors::Mirrors;
use super::task::Task;
use crate::fetch::Fetch;
use crate::fetch::download::Source;
use crate::fetch::queue::Job;
use crate::image::registry::Endpoint;
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
        let blob = Descriptor { media_type: "".into(), digest: rpm.digest, size: rpm.size };
        if all.is_cached(&blob) {
            continue;
        }
        let urls = std::iter::once(rpm.source.clone()).chain(mirrors.of_package(rpm));
        all.add_urls(&rpm.package.to_string(), &blob, client, urls.collect());
    }
    for own in lock.files.iter().filter(|own| !made.contains(own)) {
        let url = source_of_file(file, own)?;
        all.add_urls(&own.path.to_string(), &own.content, client, vec![url]);
    }
    for manifest in &lock.manifests {
        let url = match &manifest.rendered {
            Some(_) => kept(file, &manifest.path())?,
            None => file.location(&manifest.source)?,
        };
        all.add_urls(&manifest.name, &manifest.upstream, client, vec![url]);
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
        label: &Arc<str>,
        blob: &Descriptor,
        sources: impl Fn() -> Vec<Source<'a>> + Send + Sync + 'a,
    ) {
        if !self.is_cached(blob) {
            let (label, digest, size) = (Arc::clone(label), blob.digest, blob.size);
            self.jobs.push(Job { label, digest, size, sources: Box::new(sources) });
        }
    }

    fn add_urls(&mut self, label: &str, blob: &Descriptor, fetch: &'a dyn Fetch, urls: Vec<Url>) {
        let sources = move || urls.iter().map(|url| Source::new(fetch, url.clone())).collect();
        self.add(&label.into(), blob, sources);
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
        let name: Arc<str> = image.source.to_string().into();
        let endpoints: Arc<[Endpoint]> = self.upstreams.puller.endpoints(&image.source)?.into();
        let mut add = |blob: &Descriptor, is_manifest: bool| {
            let (endpoints, digest) = (Arc::clone(&endpoints), blob.digest);
            // A registry serves manifests at another path than blobs.
            let source = move |endpoint: &Endpoint| match is_manifest {
                true => Source { fetch: registry, request: endpoint.manifest(&digest.to_string()) },
                false => Source { fetch: registry, request: endpoint.blob(&digest) },
            };
            self.add(&name, blob, move || endpoints.iter().map(source).collect());
        };
        for document in std::iter::once(&image.root).chain(&image.unplaced) {
            add(document, true);
        }
        for platform in &image.platforms {
            add(&platform.manifest, true);
            for part in std::iter::once(&platform.config).chain(&platform.layers) {
                add(part, false);
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
