//! The site's registry: how it is reached, and one request to it.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use bundle_format::{ImageReference, input};
use serde::Deserialize;
use url::Url;

use crate::fetch::client::Client;
use crate::fetch::notice::Notices;
use crate::fetch::{self, Fetch, FetchError, Request};
use crate::page;
use crate::registries::auth::Authenticated;
use crate::registries::login_file;
use crate::registries::registry::{Endpoint, PlainHttp, Registries, Registry};

/// The most bytes of an error's text that are read.
const MOST_WORDS: u64 = 64 << 10;

/// How a registry is reached that no spec names.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// Files with authorities that count besides the system's.
    pub ca: Vec<PathBuf>,
    /// Whether it is reached without TLS.
    pub plain_http: bool,
}

/// A registry that can be asked and written to.
pub struct Site {
    fetch: Arc<dyn Fetch>,
    registries: Registries,
}

/// An answer to what was sent, without a body.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    headers: Vec<(String, String)>,
    /// What a registry says about an error.
    pub words: String,
}

impl Answer {
    /// The first value of the header `name`, given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl Site {
    /// Sets up the way to the registries `hosts`. Logins are those of docker and podman.
    pub fn new(hosts: &[&str], reach: &Reach, notices: &Notices) -> anyhow::Result<Self> {
        let mut authorities = Vec::new();
        for path in &reach.ca {
            let name = path.display().to_string();
            let pem = input::file(path, input::WRITTEN_BY_HAND)
                .with_context(|| format!("reading the CA file {name}"))?;
            page::refuse(&name, &pem)?;
            authorities.push((name, pem));
        }
        let plain_http = if reach.plain_http { PlainHttp::Allowed } else { PlainHttp::Forbidden };
        let own =
            |host: &&str| ((*host).to_owned(), Registry { plain_http, ..Registry::default() });
        let registries = Registries::new(hosts.iter().map(own).collect::<BTreeMap<_, _>>())?;
        login_file::check_named()?;
        let client = Arc::new(Client::new(&authorities)?.telling(notices));
        let fetch = Arc::new(Authenticated::new(client, registries.clone(), login_file::places()));
        Ok(Self { fetch, registries })
    }

    /// The registry that `fetch` reaches, without a login and with TLS.
    pub fn over(fetch: Arc<dyn Fetch>) -> Self {
        Self { fetch, registries: Registries::default() }
    }

    /// The client with the login.
    pub fn fetch(&self) -> &dyn Fetch {
        &*self.fetch
    }

    /// The URLs of a repository.
    pub fn endpoint(&self, name: &ImageReference) -> anyhow::Result<Endpoint> {
        let endpoints = self.registries.endpoints(name)?;
        endpoints.into_iter().next().with_context(|| format!("{name} has no registry"))
    }

    /// Sends a request, and gives the answer's head.
    pub fn ask(&self, request: &Request) -> Result<Answer, FetchError> {
        let response = self.fetch.open(request)?;
        let (status, headers) = (response.status, response.headers);
        let mut body = Vec::new();
        if status >= 400 {
            // What cannot be read is left out: the status is the answer.
            drop(response.body.take(MOST_WORDS).read_to_end(&mut body));
        }
        Ok(Answer { status, headers, words: words(&body) })
    }

    /// The document at a request's URL, at most `limit` bytes; none if there is none.
    pub fn document(
        &self,
        request: &Request,
        limit: u64,
    ) -> Result<Option<fetch::Document>, FetchError> {
        match self.fetch.document(request, limit) {
            Ok(document) => Ok(Some(document)),
            Err(FetchError::Status { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What a registry says in the body of an error (OCI distribution spec, "Error Codes"):
/// `DENIED: requested access to the resource is denied`.
fn words(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Body {
        errors: Vec<Own>,
    }
    #[derive(Deserialize)]
    struct Own {
        #[serde(default)]
        code: String,
        #[serde(default)]
        message: String,
    }
    let body: Body = serde_json::from_slice(body).unwrap_or(Body { errors: Vec::new() });
    let own = body.errors.iter().map(|own| match own.message.as_str() {
        "" => own.code.clone(),
        message => format!("{}: {message}", own.code),
    });
    own.collect::<Vec<_>>().join("; ")
}

/// A URL without its query, in which a registry keeps what it knows of an upload.
pub fn shown(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_query(None);
    url
}
