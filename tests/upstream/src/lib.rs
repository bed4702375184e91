//! An embedded upstream for the demo and the tests: signed yum repositories,
//! a registry and two manifests, made on the spot and served on loopback.
//! Nothing of it ships.

use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use anyhow::{Context, Result, anyhow};
use bundle_format::Digest;
use serde_json::json;
use tempfile::TempDir;

use crate::http::{Request, Response, Server};
pub use crate::registry::Listing;
use crate::registry::Registry;
pub use crate::sigstore::{Keyless, Signing, Sigstore};

mod http;
mod image;
mod key;
mod package;
mod program;
mod registry;
mod repository;
mod sigstore;

/// The repositories: id, packages. `os` has a comps group `core`.
const REPOSITORIES: [(&str, &str); 3] = [
    ("os", include_str!("../content/os.txt")),
    ("kubernetes", KUBERNETES),
    ("docker-ce", include_str!("../content/docker-ce.txt")),
];
/// The packages of the repository `kubernetes`.
pub const KUBERNETES: &str = include_str!("../content/kubernetes.txt");
const CORE: &str = include_str!("../content/core.txt");
const CALICO: &str = include_str!("../content/calico.yaml");
const INGRESS_NGINX: &str = include_str!("../content/ingress-nginx.yaml");

/// A running upstream. Dropping it ends the server and removes its files.
pub struct Upstream {
    // Before the directory: what is served goes after the server.
    _server: Server,
    directory: TempDir,
    url: String,
    counters: Arc<Counters>,
}

/// How many requests have come in, whatever they were answered with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// Under a repository's `repodata/`.
    pub repodata: u64,
    /// RPM files.
    pub packages: u64,
    /// Image manifests and indexes, HEAD included.
    pub image_manifests: u64,
    /// Image blobs.
    pub blobs: u64,
    /// Registry tokens.
    pub tokens: u64,
    /// Kubernetes manifests.
    pub manifests: u64,
    /// All else: `/v2/` itself, paths that do not exist.
    pub others: u64,
}

#[derive(Default)]
struct Counters {
    repodata: AtomicU64,
    packages: AtomicU64,
    image_manifests: AtomicU64,
    blobs: AtomicU64,
    tokens: AtomicU64,
    manifests: AtomicU64,
    others: AtomicU64,
}

impl Upstream {
    /// Makes the content and serves it on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When the temporary directory cannot be written or no port is free.
    pub fn start() -> Result<Self> {
        Self::start_with(KUBERNETES, 0)
    }

    /// The same with other packages of Kubernetes, in the form of [`KUBERNETES`]. The
    /// registry has the images of 1.28.2 and of 1.28.90.
    ///
    /// # Errors
    /// As for [`Upstream::start`].
    pub fn start_with_kubernetes(packages: &str) -> Result<Self> {
        Self::start_with(packages, 0)
    }

    /// The same with a repository for each minor release from 1.29 to 1.31, at `/v1.29/`
    /// and so on: with the releases 80 and 90, and an older kubelet. At `/old-v1.29/` it is
    /// as it was before the release 90 of 1.29. What `/v1.31/` has is at `/newest/` too.
    ///
    /// # Errors
    /// As for [`Upstream::start`].
    pub fn start_with_minors() -> Result<Self> {
        let upstream = Self::start()?;
        let (own, others) =
            KUBERNETES.split_at(KUBERNETES.find("\ncri-tools").unwrap_or_default() + 1);
        for minor in 29..=31 {
            let of = |patch: u32| {
                own.replace("1.28.2-", &format!("1.{minor}.{patch}-"))
                    .replace("1.28.1-", &format!("1.{minor}.{}-", patch - 1))
            };
            let before = if minor == 29 { of(80) } else { of(90) };
            for (id, packages) in [("v1", of(80) + &of(90)), ("old-v1", before)] {
                let id = format!("{id}.{minor}");
                let folder = upstream.directory.path().join(&id);
                repository::write(&folder, &id, &(packages + others), &[])
                    .with_context(|| format!("making the repository {id}"))?;
            }
        }
        let root = upstream.directory.path();
        symlink(root.join("v1.31"), root.join("newest")).context("making the newest")?;
        Ok(upstream)
    }

    /// The same with one more image, `large:latest`, of so many MiB that do
    /// not compress; 0 for none.
    ///
    /// # Errors
    /// As for [`Upstream::start`].
    pub fn start_with_large_image(mebibytes: u64) -> Result<Self> {
        Self::start_with(KUBERNETES, mebibytes)
    }

    fn start_with(kubernetes: &str, mebibytes: u64) -> Result<Self> {
        let directory = tempfile::tempdir().context("making a directory for the upstream")?;
        write_repositories(&directory, kubernetes)?;
        let registry = Registry::new(&directory.path().join("blobs"), mebibytes)?;
        let (controller, certgen) = registry.ingress_digests()?;
        let ingress = INGRESS_NGINX
            .replace("{controller}", &controller.to_string())
            .replace("{certgen}", &certgen.to_string());

        let listener = TcpListener::bind("127.0.0.1:0").context("listening on loopback")?;
        let url = format!("http://{}", listener.local_addr()?);
        let counters = Arc::new(Counters::default());
        let site = Site {
            directory: directory.path().to_owned(),
            registry,
            ingress,
            origin: url.clone(),
            counters: Arc::clone(&counters),
        };
        let server = Server::start(listener, move |request| site.answer(request))?;
        Ok(Self { _server: server, directory, url, counters })
    }

    /// `http://127.0.0.1:PORT`, with no slash at the end: the registry, and the
    /// prefix of `/os`, `/kubernetes`, `/docker-ce`, `/manifests/calico.yaml`
    /// and `/manifests/ingress-nginx.yaml`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `127.0.0.1:PORT`: the registry, as an image reference has it.
    pub fn host(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// The base URL of a repository: `os`, `kubernetes` or `docker-ce`.
    pub fn repository_url(&self, id: &str) -> String {
        format!("{}/{id}", self.url)
    }

    /// The file of a repository's armoured public key; it is also served, as
    /// `repodata/repomd.xml.key`. Each repository has its own.
    pub fn key_path(&self, id: &str) -> PathBuf {
        self.directory.path().join(id).join("repodata/repomd.xml.key")
    }

    /// Puts cosign's signatures over the image `image` of a repository into the registry, in
    /// place of those that are there: each is a payload and the text of its signature.
    ///
    /// # Errors
    /// When the upstream's folder cannot be written.
    pub fn put_signatures(
        &self,
        repository: &str,
        image: Digest,
        signatures: &[(Vec<u8>, String)],
    ) -> Result<()> {
        let annotated = |(payload, signature): &(Vec<u8>, String)| {
            (payload.clone(), json!({"dev.cosignproject.cosign/signature": signature}))
        };
        let layers: Vec<_> = signatures.iter().map(annotated).collect();
        registry::put_signatures(&self.blobs(), repository, image, &layers)
    }

    /// The same with signatures of those who keep no key.
    ///
    /// # Errors
    /// When the upstream's folder cannot be written.
    pub fn put_keyless(&self, repository: &str, image: Digest, all: &[Keyless]) -> Result<()> {
        let annotated = |own: &Keyless| {
            let annotations = json!({
                "dev.cosignproject.cosign/signature": own.signature,
                "dev.sigstore.cosign/certificate": own.certificate,
                "dev.sigstore.cosign/bundle": own.entry.to_string(),
            });
            (own.payload.clone(), annotations)
        };
        let layers: Vec<_> = all.iter().map(annotated).collect();
        registry::put_signatures(&self.blobs(), repository, image, &layers)
    }

    /// Puts bundles of Sigstore's over the image `image` of a repository into the registry, in
    /// place of those that are there.
    ///
    /// # Errors
    /// When the upstream's folder cannot be written.
    pub fn put_bundles(
        &self,
        repository: &str,
        image: Digest,
        listing: Listing,
        bundles: &[Vec<u8>],
    ) -> Result<()> {
        registry::put_bundles(&self.blobs(), repository, image, listing, bundles)
    }

    fn blobs(&self) -> PathBuf {
        self.directory.path().join("blobs")
    }

    /// The requests until now.
    pub fn requests(&self) -> Requests {
        let read = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
        Requests {
            repodata: read(&self.counters.repodata),
            packages: read(&self.counters.packages),
            image_manifests: read(&self.counters.image_manifests),
            blobs: read(&self.counters.blobs),
            tokens: read(&self.counters.tokens),
            manifests: read(&self.counters.manifests),
            others: read(&self.counters.others),
        }
    }
}

/// A package with one file, signed.
pub struct SignedPackage {
    /// Its bytes.
    pub rpm: Vec<u8>,
    /// The armoured key.
    pub key: String,
}

/// What a package's only file is.
#[derive(Clone, Copy)]
pub enum Content<'a> {
    /// A program of these bytes.
    Program(&'a [u8]),
    /// A symbolic link to this path.
    Link(&'a str),
}

/// The package `name-1-1.noarch` with one file at `path`.
///
/// # Errors
/// When it cannot be built.
pub fn signed_package(name: &str, path: &str, content: Content<'_>) -> Result<SignedPackage> {
    let key = key::SigningKey::generate(name)?;
    let mut builder = rpm::PackageBuilder::new(name, "1", "Apache-2.0", "noarch", name);
    builder.release("1");
    match content {
        Content::Program(bytes) => builder
            .with_file_contents(bytes.to_vec(), rpm::FileOptions::new(path).permissions(0o755))?,
        Content::Link(target) => builder.with_symlink(rpm::FileOptions::symlink(path, target))?,
    };
    let mut rpm = Vec::new();
    builder.build_and_sign(key.rpm_signer()?)?.write(&mut rpm)?;
    Ok(SignedPackage { rpm, key: key.public()? })
}

/// The repositories side by side: making keys is most of the work.
fn write_repositories(directory: &TempDir, kubernetes: &str) -> Result<()> {
    let core: Vec<&str> = CORE.lines().collect();
    thread::scope(|scope| {
        let writers = REPOSITORIES.map(|(id, packages)| {
            let core = if id == "os" { &core[..] } else { &[] };
            let packages = if id == "kubernetes" { kubernetes } else { packages };
            let path = directory.path().join(id);
            scope.spawn(move || {
                repository::write(&path, id, packages, core)
                    .with_context(|| format!("making the repository {id}"))
            })
        });
        for writer in writers {
            writer.join().map_err(|_| anyhow!("making a repository panicked"))??;
        }
        Ok(())
    })
}

/// What is served, by path.
struct Site {
    directory: PathBuf,
    registry: Registry,
    ingress: String,
    origin: String,
    counters: Arc<Counters>,
}

impl Site {
    fn answer(&self, request: &Request) -> Response {
        let path = request.path.as_str();
        self.count(path);
        if let Some(rest) = path.strip_prefix("/v2/") {
            return self.registry.answer(request, rest, &self.origin);
        }
        match path {
            "/token" => Registry::token(request),
            "/manifests/calico.yaml" => {
                Response::bytes(200, "application/yaml", CALICO.as_bytes().to_vec())
            }
            "/manifests/ingress-nginx.yaml" => {
                Response::bytes(200, "application/yaml", self.ingress.as_bytes().to_vec())
            }
            _ => self.repository_file(path),
        }
    }

    fn repository_file(&self, path: &str) -> Response {
        let relative = path.trim_start_matches('/');
        let known = REPOSITORIES
            .iter()
            .any(|(id, _)| relative.strip_prefix(id).is_some_and(|rest| rest.starts_with('/')))
            || ["v1.", "old-v1.", "newest/"].iter().any(|start| relative.starts_with(start));
        let inside = relative.split('/').all(|part| part != "..");
        let response = (known && inside)
            .then(|| Response::file("application/octet-stream", &self.directory.join(relative)));
        match response {
            Some(Ok(response)) => response,
            _ => Response::bytes(404, "text/plain", b"no such file\n".to_vec()),
        }
    }

    fn count(&self, path: &str) {
        let counters = &self.counters;
        let counter = if path.contains("/repodata/") {
            &counters.repodata
        } else if path.ends_with(".rpm") {
            &counters.packages
        } else if path.starts_with("/v2/") && path.contains("/manifests/") {
            &counters.image_manifests
        } else if path.starts_with("/v2/") && path.contains("/blobs/") {
            &counters.blobs
        } else if path == "/token" {
            &counters.tokens
        } else if path.starts_with("/manifests/") {
            &counters.manifests
        } else {
            &counters.others
        };
        counter.fetch_add(1, Ordering::SeqCst);
    }
}
