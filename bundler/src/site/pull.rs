//! Pulling a bundle: what the cache lacks, and then the same file as `build` makes.

use std::path::PathBuf;

use bundle_format::Digest;
use bundle_format::archive::outline::Outline;
use bundle_format::lock::{Descriptor, Lock};
use bundle_format::signature::{self, Signed, TrustedKeys};
use distribution::site::{Address, Site, found};

use crate::build::{self, Built, Output, write_file};
use crate::fetch::cache::Cache;
use crate::fetch::download::Source;
use crate::fetch::queue::{Job, fetch_all};
use crate::image::registry::Endpoint;
use crate::progress::Progress;

/// A bundle in a registry, of which the documents were read.
pub struct Found<'a> {
    site: &'a Site,
    cache: &'a Cache,
    found: found::Found,
}

/// A bundle that was pulled.
#[derive(Debug)]
pub struct Pulled {
    /// The files.
    pub built: Built,
    /// How many bytes the cache did not have, without its documents.
    pub fetched: u64,
    /// Where its signature is, if it has one.
    pub signature: Option<PathBuf>,
    /// Who signed it; none if no key is trusted.
    pub signed: Option<Signed>,
}

/// Finds the bundle at an address. With keys, one of them must have signed it: that is
/// checked before any document of the bundle is read.
pub fn find<'a>(
    site: &'a Site,
    cache: &'a Cache,
    address: &Address,
    keys: &TrustedKeys,
) -> anyhow::Result<Found<'a>> {
    let read = |endpoint: &Endpoint, what: &str, blob: &Descriptor| {
        // A damaged one is removed, and so it is fetched again.
        if let Ok(bytes) = cache.document(blob) {
            return Ok(bytes);
        }
        fetch(cache, vec![job(site, endpoint, blob, what.to_owned())], &|_, _| {})?;
        anyhow::Ok(cache.document(blob)?)
    };
    let found = found::find(site, address, keys, read)?;
    Ok(Found { site, cache, found })
}

impl Found<'_> {
    /// Its lock.
    pub fn lock(&self) -> &Lock {
        &self.found.outline.lock
    }

    /// The digest of its lock.
    pub fn lock_digest(&self) -> Digest {
        self.found.outline.lock_blob.digest
    }

    /// Writes the bundle, with its installers, checksums and signature beside it.
    pub fn pull(&self, output: &Output, quiet: bool) -> anyhow::Result<Pulled> {
        let missing = self.missing();
        let fetched = missing.iter().map(|blob| blob.size).sum();
        let bring = || {
            let progress = Progress::new("fetching", fetched, quiet);
            let jobs = missing.iter().map(|blob| {
                job(self.site, &self.found.endpoint, blob, format!("blob {}", blob.digest))
            });
            fetch(self.cache, jobs.collect(), &|label, count| progress.add(label, count))?;
            progress.finish();
            Ok(())
        };
        let Outline { lock, layout, .. } = &self.found.outline;
        let open = build::of_cache(self.cache);
        let built = build::put_together(lock, layout, output, (self.cache, quiet), bring, open)?;
        let signature = match &self.found.signature {
            Some(text) => {
                let place = signature::path_of(&output.path);
                write_file(&place, text.as_bytes())?;
                Some(place)
            }
            None => None,
        };
        Ok(Pulled { built, fetched, signature, signed: self.found.signed.clone() })
    }

    /// The blobs that the cache does not have.
    fn missing(&self) -> Vec<&Descriptor> {
        let is_missing = |blob: &&Descriptor| self.cache.open(blob.digest, blob.size).is_none();
        self.found.outline.layout.blobs.iter().filter(is_missing).collect()
    }
}

fn job<'a>(site: &'a Site, endpoint: &'a Endpoint, blob: &Descriptor, label: String) -> Job<'a> {
    let (digest, size) = (blob.digest, blob.size);
    let source = move || vec![Source { fetch: site.fetch(), request: endpoint.blob(&digest) }];
    Job { label: label.into(), digest, size, sources: Box::new(source) }
}

/// Fetches blobs into the cache. The error has all problems.
fn fetch(
    cache: &Cache,
    jobs: Vec<Job<'_>>,
    progress: &(dyn Fn(&str, u64) + Sync),
) -> anyhow::Result<()> {
    fetch_all(cache, jobs, progress, &|_| {}).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}", lines.join("\n"))
    })
}
