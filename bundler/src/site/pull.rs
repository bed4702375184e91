//! Pulling a bundle: what the cache lacks, and then the same file as `build` makes.

use std::path::PathBuf;

use anyhow::{Context, anyhow, bail};
use bundle_format::archive::documents::bundle_manifest;
use bundle_format::archive::outline::Outline;
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

/// A bundle in a registry, of which the documents were read.
pub struct Found<'a> {
    site: &'a Site,
    cache: &'a Cache,
    endpoint: Endpoint,
    outline: Outline,
    signature: Option<String>,
    signed: Option<Signed>,
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
    let endpoint = site.endpoint(&address.0)?;
    let request = endpoint.manifest(&address.name());
    let document = site.document(&request, MANIFEST_LIMIT)?;
    let bytes = document
        .with_context(|| format!("{address} is not there: check the name and the tag"))?
        .bytes;
    let digest = Digest::of(&bytes);
    check_digest(&address.0, digest)?;
    let read = |what: &str, blob: &Descriptor| {
        // A damaged one is removed, and so it is fetched again.
        if let Ok(bytes) = cache.document(blob) {
            return Ok(bytes);
        }
        fetch(cache, vec![job(site, &endpoint, blob, what.to_owned())], &|_, _| {})?;
        anyhow::Ok(cache.document(blob)?)
    };
    let index = artifact::index(&bytes).with_context(|| address.to_string())?;
    let index = read("index.json", &index)?;
    let signatures = referrers::signatures(site, &endpoint, digest);
    let (signature, signed) = chosen(signatures, address, &index, keys)?;
    let of_bundle = |what: &'static str, blob: &Descriptor, most: u64| match blob.size > most {
        true => Err(anyhow!("its {what} would have {} bytes", blob.size)),
        false => read(what, blob),
    };
    let outline = bundle_manifest(&index)?
        .map(|manifest| Outline::read(&manifest, of_bundle))
        .transpose()?
        .flatten()
        .filter(|outline| outline.layout.index == index)
        .with_context(|| format!("{address}: its index.json is that of no bundle"))?;
    Ok(Found { site, cache, endpoint, outline, signature, signed })
}

fn check_digest(name: &ImageReference, found: Digest) -> anyhow::Result<()> {
    match name.digest() {
        Some(wanted) if wanted != found => bail!("{name} has the digest {found}"),
        _ => Ok(()),
    }
}

/// The signature that counts: with keys, one by one of them; without, the latest.
fn chosen(
    (mut texts, unread): (Vec<String>, Option<anyhow::Error>),
    address: &Address,
    index: &[u8],
    keys: &TrustedKeys,
) -> anyhow::Result<(Option<String>, Option<Signed>)> {
    texts.sort_by_key(|text| std::cmp::Reverse(time(text)));
    if keys.is_empty() {
        return Ok((texts.into_iter().next(), None));
    }
    let mut refused = None;
    for text in texts {
        let place = PathBuf::from(format!("its signature at {address}"));
        match signature::of_text(place, &text, index, keys) {
            Ok(signed) => return Ok((Some(text), Some(signed))),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    match (refused, unread) {
        (Some(error), _) => Err(error.into()),
        (None, Some(error)) => bail!("reading the bundle's signatures: {error:#}"),
        (None, None) => bail!(
            "the bundle is not signed in the registry, and --trusted-key asks for it: sign it \
             with `bundler sign`, and push it again"
        ),
    }
}

impl Found<'_> {
    /// Its lock.
    pub fn lock(&self) -> &Lock {
        &self.outline.lock
    }

    /// The digest of its lock.
    pub fn lock_digest(&self) -> Digest {
        self.outline.lock_blob.digest
    }

    /// Writes the bundle, with its installers, checksums and signature beside it.
    pub fn pull(&self, output: &Output, quiet: bool) -> anyhow::Result<Pulled> {
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
        let Outline { lock, layout, .. } = &self.outline;
        let open = build::of_cache(self.cache);
        let built = build::put_together(lock, layout, output, (self.cache, quiet), bring, open)?;
        let signature = match &self.signature {
            Some(text) => {
                let place = signature::path_of(&output.path);
                write_file(&place, text.as_bytes())?;
                Some(place)
            }
            None => None,
        };
        Ok(Pulled { built, fetched, signature, signed: self.signed.clone() })
    }

    /// The blobs that the cache does not have.
    fn missing(&self) -> Vec<&Descriptor> {
        let is_missing = |blob: &&Descriptor| self.cache.open(blob.digest, blob.size).is_none();
        self.outline.layout.blobs.iter().filter(is_missing).collect()
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
    fetch_all(cache, jobs, progress, &|_| {}).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}", lines.join("\n"))
    })
}
