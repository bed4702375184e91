//! How to reach registries: their mirrors, their credentials, and plain http.

use std::collections::BTreeMap;

use bundle_format::digest::Digest;
use bundle_format::oci::{DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST};
use bundle_format::reference::{ImageReference, usual_host};
use url::Url;

use super::credentials::CredentialSource;
use crate::fetch::Request;

/// The four media types that are accepted, in the order of the `Accept` header.
pub const ACCEPTED: [&str; 4] = [OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST];
/// The largest index or image manifest, in bytes. Registries must accept at least 4
/// MiB (distribution spec, "Pushing Manifests"), and in fact accept no more.
pub const MANIFEST_LIMIT: u64 = 4 * 1024 * 1024;

/// What registries say that do not list what refers to a manifest.
pub const UNLISTED: [u16; 5] = [400, 404, 405, 406, 501];

/// Whether a registry may be reached without TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlainHttp {
    /// Never. Nothing is sent.
    #[default]
    Forbidden,
    /// The spec allows it for this registry, with a reason.
    Allowed,
}

/// How to reach one registry.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    /// Mirrors that are asked first, in this order, before the registry itself. A
    /// mirror's path comes before the repository:
    /// `https://mirror.example.com/hub` gives `/v2/hub/library/busybox/…`.
    /// Credentials and plain http of a mirror come from the entry under the
    /// mirror's own host.
    pub mirrors: Vec<Url>,
    /// Whether only the mirrors are asked, if there are any.
    pub only: bool,
    /// The source of the login.
    pub credentials: CredentialSource,
    /// Whether plain http may be used.
    pub plain_http: PlainHttp,
    /// A host that gets the login although it is not under the registry's domain,
    /// with its port if that is not the scheme's default.
    pub token_server: Option<String>,
}

/// The registries in the spec, by their name in references (`docker.io`,
/// `localhost:5000`). All others are reached over https, with docker's credentials.
#[derive(Clone, Debug, Default)]
pub struct Registries(BTreeMap<String, Registry>);

/// Why a registry cannot be asked as the spec says.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// A mirror whose URL cannot be used.
    #[error(
        "registry {registry}: the mirror {mirror} is not a URL such as https://mirror.example.com/path, without user, password or query"
    )]
    Mirror {
        /// The registry.
        registry: String,
        /// The mirror's URL.
        mirror: String,
    },
    /// A mirror without TLS that the spec does not allow.
    #[error(
        "registry {registry}: the mirror {mirror} is plain http, so anybody on the way could change images and read passwords; use https, or give `plainHttp` a reason under `{}` in the spec",
        registry_name(mirror)
    )]
    PlainHttp {
        /// The registry.
        registry: String,
        /// The mirror's URL.
        mirror: Url,
    },
    /// A name that cannot be in a URL.
    #[error("registry {registry}: its name cannot be in a URL")]
    Name {
        /// The registry.
        registry: String,
    },
}

/// A registry or mirror that may have an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// `https://registry-1.docker.io/v2/library/busybox/`.
    base: Url,
}

impl Registries {
    /// Takes the spec's entries by registry name, and checks every mirror.
    pub fn new(registries: BTreeMap<String, Registry>) -> Result<Self, RegistryError> {
        let usual = |(name, own): (String, Registry)| (usual_host(&name), own);
        let registries = Self(registries.into_iter().map(usual).collect());
        for (name, registry) in &registries.0 {
            for mirror in &registry.mirrors {
                registries.check_mirror(name, mirror)?;
            }
        }
        Ok(registries)
    }

    /// The entry of a registry, if there is one, in whatever spelling.
    pub fn get(&self, name: &str) -> Option<&Registry> {
        self.0.get(&usual_host(name))
    }

    /// The registry and mirrors to ask for a repository's manifests and blobs, in
    /// order.
    pub fn endpoints(&self, image: &ImageReference) -> Result<Vec<Endpoint>, RegistryError> {
        let name = image.registry();
        let registry = self.get(name);
        let scheme = match registry.map(|registry| registry.plain_http) {
            Some(PlainHttp::Allowed) => "http",
            _ => "https",
        };
        let host = match usual_host(name).as_str() {
            "docker.io" => "registry-1.docker.io",
            _ => name,
        };
        let upstream = Url::parse(&format!("{scheme}://{host}"))
            .map_err(|_| RegistryError::Name { registry: name.to_owned() })?;
        let mirrors = registry.map(|registry| registry.mirrors.clone()).unwrap_or_default();
        let only_mirrors = registry.is_some_and(|registry| registry.only) && !mirrors.is_empty();
        Ok(mirrors
            .into_iter()
            .chain((!only_mirrors).then_some(upstream))
            .map(|mut base| {
                let prefix = base.path().trim_matches('/').to_owned();
                let slash = if prefix.is_empty() { "" } else { "/" };
                base.set_path(&format!("/v2/{prefix}{slash}{}/", image.repository()));
                Endpoint { base }
            })
            .collect())
    }

    /// Whether the spec allows plain http for the host of `url`, on any port.
    pub(super) fn speaks_plain_http(&self, url: &Url) -> bool {
        let is_it = |name: &String| {
            Url::parse(&format!("https://{name}")).is_ok_and(|own| own.host() == url.host())
        };
        self.0.iter().any(|(name, own)| own.plain_http == PlainHttp::Allowed && is_it(name))
    }

    fn check_mirror(&self, name: &str, mirror: &Url) -> Result<(), RegistryError> {
        let has_more = !mirror.username().is_empty()
            || mirror.password().is_some()
            || mirror.query().is_some()
            || mirror.fragment().is_some();
        if has_more || !mirror.has_host() || !matches!(mirror.scheme(), "http" | "https") {
            // The rest of the URL may be a password.
            let shown = format!("{}://{}{}", mirror.scheme(), authority(mirror), mirror.path());
            return Err(RegistryError::Mirror { registry: name.to_owned(), mirror: shown });
        }
        // An entry is valid for its own host only, so the entry of the
        // registry that is mirrored does not count here.
        let own = self.get(&registry_name(mirror)).map(|own| own.plain_http);
        if mirror.scheme() == "http" && own != Some(PlainHttp::Allowed) {
            return Err(RegistryError::PlainHttp {
                registry: name.to_owned(),
                mirror: mirror.clone(),
            });
        }
        Ok(())
    }
}

/// The tag of the index of what refers to a manifest, where the registry does not list that
/// (OCI distribution spec, "Referrers Tag Schema").
pub fn referrers_tag(root: Digest) -> String {
    format!("sha256-{}", root.hex())
}

/// Whether an answer is an index, by its `Content-Type`.
pub fn is_index(content_type: &str) -> bool {
    content_type.split(';').next().is_some_and(|own| own.trim() == OCI_INDEX)
}

impl Endpoint {
    /// The request for the manifest or index that a tag or a digest names. It
    /// accepts all types that are supported, because a registry returns only
    /// types that were asked for.
    pub fn manifest(&self, name: &str) -> Request {
        let accept = ACCEPTED.map(str::to_owned).into();
        Request { accept, ..Request::new(self.below(&format!("manifests/{name}"))) }
    }

    /// The request for a blob.
    pub fn blob(&self, digest: &Digest) -> Request {
        Request::new(self.below(&format!("blobs/{digest}")))
    }

    /// The request for the index of what refers to a manifest, if the registry lists that: of
    /// the type `artifact`, or of any.
    pub fn referrers(&self, root: Digest, artifact: Option<&str>) -> Request {
        let mut url = self.below(&format!("referrers/{root}"));
        if let Some(artifact) = artifact {
            url.query_pairs_mut().append_pair("artifactType", artifact);
        }
        Request { accept: vec![OCI_INDEX.to_owned()], ..Request::new(url) }
    }

    /// The host, with its port if that is not the scheme's default.
    pub fn host(&self) -> String {
        authority(&self.base)
    }

    /// The root of the registry's API, `/v2/`. A registry answers there that it
    /// is one.
    pub fn root(&self) -> Url {
        let mut url = self.base.clone();
        url.set_path("/v2/");
        url
    }

    /// A URL of this repository.
    pub(super) fn below(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path()));
        url
    }
}

/// The registry's name in references, for a URL.
pub(super) fn registry_name(url: &Url) -> String {
    match authority(url) {
        hub if hub == "registry-1.docker.io" => "docker.io".to_owned(),
        other => other,
    }
}

fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registries(
        name: &str,
        mirrors: &[&str],
        plain_http: PlainHttp,
    ) -> Result<Registries, RegistryError> {
        let mirrors = mirrors.iter().map(|mirror| mirror.parse().unwrap()).collect();
        let registry = Registry { mirrors, plain_http, ..Registry::default() };
        Registries::new(BTreeMap::from([(name.to_owned(), registry)]))
    }

    fn urls(registries: &Registries, image: &str) -> Vec<String> {
        let endpoints = registries.endpoints(&image.parse().unwrap()).unwrap();
        endpoints.iter().map(|endpoint| endpoint.manifest("t").url.to_string()).collect()
    }

    #[test]
    fn asks_mirrors_first_and_docker_hub_by_its_real_host() {
        let none = Registries::default();
        assert_eq!(
            urls(&none, "busybox"),
            ["https://registry-1.docker.io/v2/library/busybox/manifests/t"]
        );
        assert_eq!(urls(&none, "localhost:5000/a"), ["https://localhost:5000/v2/a/manifests/t"]);
        let hub = registries(
            "docker.io",
            &["https://m.io/hub/", "https://n.io:444"],
            PlainHttp::Forbidden,
        )
        .unwrap();
        assert_eq!(
            urls(&hub, "a/b"),
            [
                "https://m.io/v2/hub/a/b/manifests/t",
                "https://n.io:444/v2/a/b/manifests/t",
                "https://registry-1.docker.io/v2/a/b/manifests/t",
            ]
        );
        let only = Registry {
            mirrors: vec!["https://m.io/hub".parse().unwrap()],
            only: true,
            ..Registry::default()
        };
        let only = Registries::new(BTreeMap::from([("docker.io".to_owned(), only)])).unwrap();
        for image in ["a/b", "Docker.io/a/b", "docker.io:443/a/b", "registry-1.docker.io/a/b"] {
            assert_eq!(urls(&only, image), ["https://m.io/v2/hub/a/b/manifests/t"], "{image}");
        }
        let plain = registries("r.io:5000", &["https://m.io"], PlainHttp::Allowed).unwrap();
        assert_eq!(
            urls(&plain, "r.io:5000/a"),
            ["https://m.io/v2/a/manifests/t", "http://r.io:5000/v2/a/manifests/t"]
        );
    }

    #[test]
    fn plain_http_of_a_mirror_and_of_its_registry_are_two_things() {
        let entry = |mirrors: &[&str], plain_http| Registry {
            mirrors: mirrors.iter().map(|mirror| mirror.parse().unwrap()).collect(),
            plain_http,
            ..Registry::default()
        };
        let of = |entries: [(&str, Registry); 2]| {
            Registries::new(entries.map(|(name, entry)| (name.to_owned(), entry)).into())
        };
        let mirror = || entry(&[], PlainHttp::Allowed);
        let said = of([
            ("docker.io", entry(&["http://m.io:5000/hub"], PlainHttp::Forbidden)),
            ("m.io:5000", mirror()),
        ]);
        assert_eq!(
            urls(&said.unwrap(), "a/b"),
            [
                "http://m.io:5000/v2/hub/a/b/manifests/t",
                "https://registry-1.docker.io/v2/a/b/manifests/t",
            ]
        );
        for (registry, own) in [("r.io", "m.io:5001"), ("r.io", "r.io:5000")] {
            let entries =
                [(registry, entry(&["http://m.io"], PlainHttp::Allowed)), (own, mirror())];
            let error = of(entries).unwrap_err().to_string();
            assert!(error.contains("a reason under `m.io`"), "{error}");
        }
    }

    #[test]
    fn refuses_mirrors_that_are_unsafe_and_hides_their_passwords() {
        for (mirror, words) in [
            ("http://m.io", "plain http"),
            ("https://user:hunter2@m.io", "without user"),
            ("https://m.io?a=b", "without user"),
            ("file:///m", "not a URL such as"),
        ] {
            let error =
                registries("r.io", &[mirror], PlainHttp::Forbidden).unwrap_err().to_string();
            assert!(error.contains(words) && !error.contains("hunter2"), "{error}");
        }
    }
}
