//! Access to everything that a spec names and that is elsewhere.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Context;
use bundle_format::input;
use bundle_format::lock::Descriptor;

use crate::fetch::cache::Cache;
use crate::fetch::client::Client;
use crate::fetch::memory::{Network, Remembering};
use crate::fetch::notice::Notices;
use crate::image::credentials::CredentialSource;
use crate::image::login_file;
use crate::image::pull::Puller;
use crate::image::registry::{PlainHttp, Registries, Registry};
use crate::rpm::key::ExpiredKeys;
use crate::rpm::signatory::Signatory;
use crate::spec::{self, SpecFile};
use crate::{fetch, page};

/// Access to everything that is not in the spec itself.
pub struct Upstreams {
    /// Fetches documents and packages.
    pub client: Arc<Remembering>,
    /// Knows which of the hosts answer.
    pub hosts: Arc<Client>,
    /// Pulls images.
    pub puller: Puller,
    /// The cache of what was fetched before.
    pub cache: Cache,
    notices: Notices,
}

impl Upstreams {
    /// Sets up what the spec says of registries. Without a network, everything is
    /// as it was when it was read the last time. `notices` are told when the
    /// program waits.
    pub fn new(
        network: Network,
        file: &SpecFile,
        cache: Cache,
        notices: &Notices,
    ) -> anyhow::Result<Self> {
        let mut authorities = Vec::new();
        let mut registries = BTreeMap::new();
        for (name, registry) in &file.spec.registries {
            authorities.extend(authority(file, registry)?);
            registries.insert(name.clone(), settings(name, registry)?);
        }
        login_file::check_named()?;
        let hosts = Arc::new(Client::new(&authorities)?.telling(notices));
        let cache = cache.telling(notices);
        let puller = Puller::new(hosts.clone(), Registries::new(registries)?, login_file::places());
        let puller = puller.remembering(cache.clone(), network);
        let client = Arc::new(Remembering::new(hosts.clone(), cache.clone(), network));
        Ok(Self { client, hosts, puller, cache, notices: notices.clone() })
    }

    /// The bytes of something that the spec names, at most `limit`.
    pub(crate) fn read(&self, file: &SpecFile, text: &str, limit: u64) -> anyhow::Result<Vec<u8>> {
        Ok(fetch::bytes(&*self.client, &file.location(text)?, limit)?)
    }

    /// Tells the operator about something that is no error. It depends on this host or
    /// on the day, so it is not in the lock.
    pub(crate) fn warn(&self, words: &str) {
        self.notices.warn(words);
    }

    /// Warns, once, of a key that will expire soon.
    pub(crate) fn warn_of_end(&self, key: &Signatory, expired: ExpiredKeys, now: SystemTime) {
        if let Some(words) = key.ends_soon(now).filter(|_| expired == ExpiredKeys::Refuse) {
            self.warn(&words);
        }
    }

    /// Puts bytes into the cache, and describes them.
    pub(crate) fn keep(
        &self,
        media_type: &'static str,
        bytes: &[u8],
    ) -> anyhow::Result<Descriptor> {
        let digest = self.cache.insert(bytes)?;
        Ok(Descriptor { media_type: media_type.into(), digest, size: bytes.len() as u64 })
    }
}

/// The CA certificate of a registry, with the path of its file.
fn authority(
    file: &SpecFile,
    registry: &spec::Registry,
) -> anyhow::Result<Option<(String, Vec<u8>)>> {
    let Some(ca) = &registry.ca else { return Ok(None) };
    let path = file.beside(ca);
    let pem = input::file(&path, input::WRITTEN_BY_HAND)
        .with_context(|| format!("reading the CA file {}", path.display()))?;
    page::refuse(&path.display().to_string(), &pem)?;
    Ok(Some((path.display().to_string(), pem)))
}

/// The settings of a registry for pulling, from the spec.
fn settings(name: &str, registry: &spec::Registry) -> anyhow::Result<Registry> {
    let mirror = |text: &String| {
        text.parse().with_context(|| format!("registry {name}: reading the mirror {text}"))
    };
    Ok(Registry {
        mirrors: registry.mirrors.iter().map(mirror).collect::<anyhow::Result<_>>()?,
        only: registry.only,
        credentials: match &registry.credentials {
            Some(names) => CredentialSource::Environment {
                user_variable: names.user_variable.clone(),
                password_variable: names.password_variable.clone(),
            },
            None => CredentialSource::LoginFiles,
        },
        plain_http: match registry.plain_http {
            Some(_) => PlainHttp::Allowed,
            None => PlainHttp::Forbidden,
        },
        token_server: registry.token_server.clone(),
    })
}
