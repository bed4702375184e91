//! Finds the digests of everything that an image consists of.

use std::path::PathBuf;
use std::sync::Arc;

use bundle_format::architecture::Architecture;
use bundle_format::bounds::MAX_IMAGE_DOCUMENT;
use bundle_format::digest::Digest;
use bundle_format::lock::{Descriptor, LockedImage, LockedPlatform, Why};
use bundle_format::oci::{Entry, Platform};
use bundle_format::reference::ImageReference;
use url::Url;

use super::auth::Authenticated;
use super::document::{self, Document, DocumentError, Manifest};
use super::platform;
use super::pull_error::{Attempt, PullError, ResolveError, hint};
use super::registry::{Endpoint, Registries, RegistryError};
use crate::fetch::cache::Cache;
use crate::fetch::memory::{Network, Remembering};
use crate::fetch::{self, Fetch, FetchError, Request};

pub use super::registry::MANIFEST_LIMIT;

/// Pulls from registries and their mirrors.
pub struct Puller {
    fetch: Arc<dyn Fetch>,
    registries: Registries,
}

/// An image as its registry has it now.
#[derive(Debug)]
pub struct ResolvedImage {
    /// The name that was asked for. If it has a tag and a digest, both are kept.
    pub source: ImageReference,
    /// The index, or the only manifest.
    pub root: Descriptor,
    /// The wanted platforms, sorted.
    pub platforms: Vec<LockedPlatform>,
    /// The manifests without a platform in the index.
    pub unplaced: Vec<Descriptor>,
    /// The exact bytes of the root, of each platform's manifest, and of the
    /// configurations that had to be read. They have the digests of their
    /// descriptors. Each is there once.
    pub documents: Vec<(Descriptor, Vec<u8>)>,
}

impl ResolvedImage {
    /// The lock's entry, under the name that nodes use.
    pub fn locked(&self, name: ImageReference, why: Vec<Why>) -> LockedImage {
        LockedImage {
            name,
            source: self.source.clone(),
            root: self.root.clone(),
            platforms: self.platforms.clone(),
            unplaced: self.unplaced.clone(),
            signature: None,
            why,
        }
    }
}

impl Puller {
    /// Pulls through `fetch`, which retries. `login_files` are
    /// [`super::login_file::places`].
    pub fn new(fetch: Arc<dyn Fetch>, registries: Registries, login_files: Vec<PathBuf>) -> Self {
        let fetch = Arc::new(Authenticated::new(fetch, registries.clone(), login_files));
        Self { fetch, registries }
    }

    /// The same, but with the registries' answers kept in `cache`. Without a
    /// network, only these answers are used.
    pub fn remembering(self, cache: Cache, network: Network) -> Self {
        Self { fetch: Arc::new(Remembering::new(self.fetch, cache, network)), ..self }
    }

    /// The client with the login, for requests to [`Self::endpoints`].
    pub fn fetch(&self) -> Arc<dyn Fetch> {
        Arc::clone(&self.fetch)
    }

    /// The registry and mirrors to ask for an image, in order.
    pub fn endpoints(&self, image: &ImageReference) -> Result<Vec<Endpoint>, RegistryError> {
        self.registries.endpoints(image)
    }

    /// Finds the manifest of `image` for each of `architectures`; by its digest
    /// if it has one. Asks one registry or mirror after another, until one has
    /// all of it.
    pub fn resolve(
        &self,
        image: &ImageReference,
        architectures: &[Architecture],
    ) -> Result<ResolvedImage, ResolveError> {
        let fail = |attempts| ResolveError { image: Box::new(image.clone()), attempts };
        let endpoints = self.registries.endpoints(image).map_err(|error| {
            fail(vec![Attempt { host: image.registry().to_owned(), error: error.into() }])
        })?;
        let mut attempts = Vec::new();
        for endpoint in endpoints {
            match self.resolve_at(&endpoint, image, architectures) {
                Ok(resolved) => return Ok(resolved),
                Err(error) => attempts.push(Attempt { host: endpoint.host(), error }),
            }
        }
        Err(fail(attempts))
    }

    fn resolve_at(
        &self,
        endpoint: &Endpoint,
        image: &ImageReference,
        architectures: &[Architecture],
    ) -> Result<ResolvedImage, PullError> {
        let mut wanted = architectures.to_vec();
        wanted.sort_unstable();
        wanted.dedup();
        let name = match (image.digest(), image.tag()) {
            (Some(digest), _) => digest.to_string(),
            (None, tag) => tag.unwrap_or("latest").to_owned(),
        };
        let expected = Expected { digest: image.digest(), ..Expected::default() };
        let (root, bytes, document) = self.document(&endpoint.manifest(&name), &expected)?;
        let mut documents = vec![(root.clone(), bytes)];
        let mut unplaced = Vec::new();
        let platforms = match document {
            Document::Index(entries) => {
                for entry in platform::unplaced(&entries) {
                    let (manifest, bytes) = self.unplaced(endpoint, entry)?;
                    if !unplaced.contains(&manifest) {
                        documents.push((manifest.clone(), bytes));
                        unplaced.push(manifest);
                    }
                }
                wanted
                    .into_iter()
                    .map(|architecture| {
                        self.platform_of_index(endpoint, &entries, architecture, &mut documents)
                    })
                    .collect::<Result<_, _>>()?
            }
            Document::Manifest(manifest) => {
                let (platform, config) = self.config(endpoint, &manifest.config)?;
                for architecture in &wanted {
                    // If only one architecture is wanted, an image
                    // that names none is taken for it.
                    let alone = wanted.len() == 1;
                    if !platform.fits(*architecture, alone) {
                        return Err(other_platform(*architecture, &platform));
                    }
                }
                documents.push(config);
                wanted
                    .into_iter()
                    .map(|architecture| locked(architecture, &root, &manifest))
                    .collect()
            }
        };
        Ok(ResolvedImage { source: image.clone(), root, platforms, unplaced, documents })
    }

    fn platform_of_index(
        &self,
        endpoint: &Endpoint,
        entries: &[Entry],
        architecture: Architecture,
        documents: &mut Vec<(Descriptor, Vec<u8>)>,
    ) -> Result<LockedPlatform, PullError> {
        let placed = platform::choose(entries, architecture);
        let Some(entry) = placed.or_else(|| platform::unplaced(entries).next()) else {
            let (wanted, has) = (architecture.oci(), platform::list(entries));
            return Err(PullError::Platform { wanted, has });
        };
        if document::is_index(&entry.media_type) {
            return Err(PullError::Nested(architecture.oci()));
        }
        let (request, expected) = named(endpoint, entry)?;
        let (descriptor, bytes, document) = self.document(&request, &expected)?;
        let Document::Manifest(manifest) = document else {
            return Err(PullError::Nested(architecture.oci()));
        };
        if placed.is_none() {
            let (platform, config) = self.config(endpoint, &manifest.config)?;
            if !platform.fits(architecture, false) {
                return Err(other_platform(architecture, &platform));
            }
            documents.push(config);
        }
        let platform = locked(architecture, &descriptor, &manifest);
        if !documents.iter().any(|(known, _)| known.digest == descriptor.digest) {
            documents.push((descriptor, bytes));
        }
        Ok(platform)
    }

    /// A manifest without a platform in the index. It may be something other than
    /// an image.
    fn unplaced(
        &self,
        endpoint: &Endpoint,
        entry: &Entry,
    ) -> Result<(Descriptor, Vec<u8>), PullError> {
        if document::is_index(&entry.media_type) {
            return Err(PullError::UnplacedIndex(entry.digest.clone()));
        }
        let (request, expected) = named(endpoint, entry)?;
        let bytes = self.read(&request, MANIFEST_LIMIT)?.bytes;
        expected.check(&request.url, &bytes)?;
        let (media_type, digest) = (entry.media_type.clone().into(), Digest::of(&bytes));
        Ok((Descriptor { media_type, digest, size: bytes.len() as u64 }, bytes))
    }

    /// The platform in a configuration, and the configuration.
    fn config(
        &self,
        endpoint: &Endpoint,
        config: &Descriptor,
    ) -> Result<(Platform, (Descriptor, Vec<u8>)), PullError> {
        let request = endpoint.blob(&config.digest);
        let url = request.url.clone();
        let bytes = self.read(&request, MAX_IMAGE_DOCUMENT)?.bytes;
        Expected { digest: Some(config.digest), size: Some(config.size), media_type: None }
            .check(&url, &bytes)?;
        let platform: Platform = serde_json::from_slice(&bytes).map_err(|error| {
            let source = DocumentError::Malformed(format!("its configuration: {error}"));
            PullError::Document { url: Box::new(url), source }
        })?;
        Ok((platform, (config.clone(), bytes)))
    }

    fn document(
        &self,
        request: &Request,
        expected: &Expected,
    ) -> Result<(Descriptor, Vec<u8>, Document), PullError> {
        let url = &request.url;
        let answer = self.read(request, MANIFEST_LIMIT)?;
        let announced = expected.media_type.as_deref().or(answer.header("content-type"));
        let parsed = document::parse(&answer.bytes, announced);
        // A page of a portal is reported as such, before its digest is
        // compared.
        if let Err(DocumentError::Html) = parsed {
            return Err(PullError::Document {
                url: Box::new(url.clone()),
                source: DocumentError::Html,
            });
        }
        let digest = Digest::of(&answer.bytes);
        expected.check(url, &answer.bytes)?;
        let header = answer.header("docker-content-digest");
        if let Some(header) = header.filter(|text| text.starts_with("sha256:"))
            && header != digest.to_string()
        {
            return Err(mismatch(
                url,
                format!("{header}, as its Docker-Content-Digest says"),
                digest.to_string(),
            ));
        }
        let (document, media_type) =
            parsed.map_err(|source| PullError::Document { url: Box::new(url.clone()), source })?;
        let size = answer.bytes.len() as u64;
        Ok((Descriptor { media_type: media_type.into(), digest, size }, answer.bytes, document))
    }

    /// The answer to a request, with what to do about a refusal.
    pub(super) fn read(&self, request: &Request, limit: u64) -> Result<fetch::Document, PullError> {
        self.fetch.document(request, limit).map_err(|error| match error {
            FetchError::Status { url, status, hint } if hint.is_empty() => {
                FetchError::Status { url, status, hint: self::hint(status).to_owned() }.into()
            }
            error => error.into(),
        })
    }
}

fn locked(
    architecture: Architecture,
    descriptor: &Descriptor,
    manifest: &Manifest,
) -> LockedPlatform {
    LockedPlatform {
        architecture,
        manifest: descriptor.clone(),
        config: manifest.config.clone(),
        layers: manifest.layers.clone(),
    }
}

/// The request for an entry of an index, and what its answer must be.
fn named(endpoint: &Endpoint, entry: &Entry) -> Result<(Request, Expected), PullError> {
    let request = endpoint.manifest(&entry.digest);
    let digest = document::digest(&entry.digest)
        .map_err(|source| PullError::Document { url: Box::new(request.url.clone()), source })?;
    let expected = Expected {
        digest: Some(digest),
        size: Some(entry.size),
        media_type: Some(entry.media_type.clone()),
    };
    Ok((request, expected))
}

fn other_platform(wanted: Architecture, has: &Platform) -> PullError {
    PullError::Platform { wanted: wanted.oci(), has: has.to_string() }
}

/// What the answer must be, as far as it is known.
#[derive(Default)]
struct Expected {
    digest: Option<Digest>,
    size: Option<u64>,
    media_type: Option<String>,
}

impl Expected {
    fn check(&self, url: &Url, bytes: &[u8]) -> Result<(), PullError> {
        if let Some(size) = self.size.filter(|&size| size != bytes.len() as u64) {
            return Err(mismatch(url, format!("{size} bytes"), format!("{} bytes", bytes.len())));
        }
        let found = Digest::of(bytes);
        match self.digest.filter(|&digest| digest != found) {
            Some(digest) => Err(mismatch(url, digest.to_string(), found.to_string())),
            None => Ok(()),
        }
    }
}

fn mismatch(url: &Url, wanted: String, found: String) -> PullError {
    FetchError::Mismatch { url: url.clone(), wanted, found }.into()
}

#[cfg(test)]
mod tests;
