//! The ways to everything that a spec names and that is elsewhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use bundle_format::input;

use crate::fetch::cache::Cache;
use crate::fetch::client::Client;
use crate::fetch::memory::{Network, Remembering};
use crate::fetch::notice::Notices;
use crate::image::credentials::CredentialSource;
use crate::image::login_file;
use crate::image::pull::Puller;
use crate::image::registry::{PlainHttp, Registries, Registry};
use crate::page;
use crate::spec::SpecFile;

/// The ways to everything that is not in the spec.
pub struct Upstreams {
    /// Documents and packages.
    pub client: Arc<Remembering>,
    /// The hosts behind them: which are there.
    pub hosts: Arc<Client>,
    /// Images.
    pub puller: Puller,
    /// What was fetched before.
    pub cache: Cache,
}

impl Upstreams {
    /// Sets up what the spec says of registries. `notices` hear of what is
    /// waited for.
    pub fn new(file: &SpecFile, cache: Cache, notices: &Notices) -> anyhow::Result<Self> {
        Self::over(Network::On, file, cache, notices)
    }

    /// The same with or without a network: without, all is as it was when it was read
    /// the last time.
    pub fn over(
        network: Network,
        file: &SpecFile,
        cache: Cache,
        notices: &Notices,
    ) -> anyhow::Result<Self> {
        let mut authorities = Vec::new();
        let mut registries = BTreeMap::new();
        for (name, registry) in &file.spec.registries {
            if let Some(ca) = &registry.ca {
                let path = file.beside(ca);
                let pem = input::file(&path, input::WRITTEN_BY_HAND)
                    .with_context(|| format!("reading the CA file {}", path.display()))?;
                page::refuse(&path.display().to_string(), &pem)?;
                authorities.push((path.display().to_string(), pem));
            }
            let mirrors = registry
                .mirrors
                .iter()
                .map(|mirror| {
                    mirror
                        .parse()
                        .with_context(|| format!("registry {name}: reading the mirror {mirror}"))
                })
                .collect::<anyhow::Result<_>>()?;
            let credentials = match &registry.credentials {
                Some(names) => CredentialSource::Environment {
                    user_variable: names.user_variable.clone(),
                    password_variable: names.password_variable.clone(),
                },
                None => CredentialSource::LoginFiles,
            };
            let plain_http = match registry.plain_http {
                Some(_) => PlainHttp::Allowed,
                None => PlainHttp::Forbidden,
            };
            let (only, token_server) = (registry.only, registry.token_server.clone());
            let registry = Registry { mirrors, only, credentials, plain_http, token_server };
            registries.insert(name.clone(), registry);
        }
        login_file::check_named()?;
        let hosts = Arc::new(Client::new(&authorities)?.telling(notices));
        let cache = cache.telling(notices);
        let puller = Puller::new(hosts.clone(), Registries::new(registries)?, login_file::places());
        let puller = puller.remembering(cache.clone(), network);
        let client = Arc::new(Remembering::new(hosts.clone(), cache.clone(), network));
        Ok(Self { client, hosts, puller, cache })
    }
}
