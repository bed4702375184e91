//! Pulling a bundle: what the cache lacks, and then the same file as `build` makes.

use std::path::PathBuf;

use anyhow::{Context, bail};
use bundle_format::bounds::{MAX_INDEX, MAX_LOCK};
use bundle_format::layout::Layout;
use bundle_format::lock::{Descriptor, Lock};
use bundle_format::signature::{self, Signed, TrustedKeys};
use bundle_format::{Digest, ImageReference};

use super::address::Address;
use super::registry::Site;
use super::{artifact, referrers};
use crate::build::{self, Built, Output, write_file};
use crate::fetch::cache::Cache;
use crate::fetch::download::Source;
use crate::fetch::queue::{Job, fetch_all};
use crate::image::pull::MANIFEST_LIMIT;
use crate::image::registry::Endpoint;
use crate::progress::Progress;

/// A bundle in a registry, of which the lock and the index were read.
pub struct Found<'a> {
    site: &'a Site,
    cache: &'a Cache,
    endpoint: Endpoint,
    /// Its lock. That it fits the rest is checked when the bundle is put together.
    pub lock: Lock,
    lock_blob: Descriptor,
    layout: Layout,
    signatures: Vec<String>,
    /// Why not all signatures could be read.
    unread: Option<anyhow::Error>,
}

/// A bundle that was pulled.
#[derive(Debug)]
pub struct Pulled {
    /// The files.
    pub built: Built,
    /// How many bytes the cache did not have.
    pub fetched: u64,
    /// Where its signature is, if it has one.
    pub signature: Option<PathBuf>,
    /// Who signed it; none if no key is trusted.
    pub signed: Option<Signed>,
}

/// Finds the bundle at an address.
pub fn find<'a>(site: &'a Site, cache: &'a Cache, address: &Address) -> anyhow::Result<Found<'a>> {
    let endpoint = site.endpoint(&address.0)?;
    let request = endpoint.manifest(&address.name());
    let document = site.document(&request, MANIFEST_LIMIT)?;
    let bytes = document
        .with_context(|| format!("{address} is not there: check the name and the tag"))?
        .bytes;
    let digest = Digest::of(&bytes);
    check_digest(&address.0, digest)?;
    let listed = artifact::read(&bytes).with_context(|| address.to_string())?;
    for (document, most) in [(&listed.lock, MAX_LOCK), (&listed.index, MAX_INDEX)] {
        if document.size > most {
            bail!("{address}: its blob {} has {} bytes", document.digest, document.size);
        }
    }
    let documents = [("the lock", &listed.lock), ("index.json", &listed.index)];
    let jobs = documents.map(|(label, blob)| job(site, &endpoint, blob, label.to_owned()));
    fetch(cache, jobs.into(), &|_, _| {})?;
    let lock = Lock::parse(&cache.document(&listed.lock)?)?;
    let index = cache.document(&listed.index)?;
    let (documents, absent) = (Vec::new(), Vec::new());
    let layout = Layout { index, documents, blobs: listed.blobs, absent };
    let (signatures, unread) = referrers::signatures(site, &endpoint, digest);
    Ok(Found { site, cache, endpoint, lock, lock_blob: listed.lock, layout, signatures, unread })
}

fn check_digest(name: &ImageReference, found: Digest) -> anyhow::Result<()> {
    match name.digest() {
        Some(wanted) if wanted != found => bail!("{name} has the digest {found}"),
        _ => Ok(()),
    }
}

impl Found<'_> {
    /// The digest of its lock.
    pub fn lock_digest(&self) -> Digest {
        self.lock_blob.digest
    }

    /// Writes the bundle, with its installers, checksums and signature beside it. With
    /// keys, one of them must have signed it: that is checked before anything is fetched.
    pub fn pull(&self, output: &Output, keys: &TrustedKeys, quiet: bool) -> anyhow::Result<Pulled> {
        let place = signature::path_of(&output.path);
        let (text, signed) = self.signature(place.clone(), keys)?;
        let missing = self.missing();
        let fetched = missing.iter().map(|blob| blob.size).sum();
        let bring = || {
            let progress = Progress::new("fetching", fetched, quiet);
            let jobs = missing
                .iter()
                .map(|blob| job(self.site, &self.endpoint, blob, format!("blob {}", blob.digest)));
            fetch(self.cache, jobs.collect(), &|label, count| progress.add(label, count))?;
            progress.finish();
            Ok(())
        };
        let built = build::put_together(
            &self.lock,
            &self.layout,
            output,
            (self.cache, quiet),
            bring,
            build::of_cache(self.cache),
        )?;
        let signature = match text {
            Some(text) => {
                write_file(&place, text.as_bytes())?;
                Some(place)
            }
            None => None,
        };
        Ok(Pulled { built, fetched, signature, signed })
    }

    /// The signature that counts: with keys, one by one of them; without, the latest.
    fn signature(
        &self,
        place: PathBuf,
        keys: &TrustedKeys,
    ) -> anyhow::Result<(Option<&str>, Option<Signed>)> {
        let mut texts: Vec<&str> = self.signatures.iter().map(String::as_str).collect();
        texts.sort_by_key(|text| std::cmp::Reverse(time(text)));
        if keys.is_empty() {
            return Ok((texts.first().copied(), None));
        }
        let mut refused = None;
        for text in texts {
            match signature::of_text(place.clone(), text, &self.layout.index, keys) {
                Ok(signed) => return Ok((Some(text), Some(signed))),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        match (refused, &self.unread) {
            (Some(error), _) => Err(error.into()),
            (None, Some(error)) => bail!("reading the bundle's signatures: {error:#}"),
            (None, None) => bail!(
                "the bundle is not signed in the registry, and --trusted-key asks for it: sign it \
                 with `bundler sign`, and push it again"
            ),
        }
    }

    /// The blobs that the cache does not have.
    fn missing(&self) -> Vec<&Descriptor> {
        let is_missing = |blob: &&Descriptor| self.cache.open(blob.digest, blob.size).is_none();
        self.layout.blobs.iter().filter(is_missing).collect()
    }
}

/// The time in a signature's trusted comment, which `bundler sign` and minisign write.
fn time(text: &str) -> Option<u64> {
    text.split_ascii_whitespace().find_map(|word| word.strip_prefix("timestamp:")?.parse().ok())
}

fn job<'a>(site: &'a Site, endpoint: &Endpoint, blob: &Descriptor, label: String) -> Job<'a> {
    let source = Source { fetch: site.fetch(), request: endpoint.blob(&blob.digest) };
    Job { label, digest: blob.digest, size: blob.size, sources: vec![source] }
}

/// Fetches blobs into the cache. The error has all problems.
fn fetch(
    cache: &Cache,
    jobs: Vec<Job<'_>>,
    progress: &(dyn Fn(&str, u64) + Sync),
) -> anyhow::Result<()> {
    fetch_all(cache, jobs, progress).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}", lines.join("\n"))
    })
}
