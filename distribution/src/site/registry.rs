//! The site's registry: how it is reached, and one request to it.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use bundle_format::{ImageReference, input};
use serde::Deserialize;
use serde_json::Value;
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
        match self.read(request, limit) {
            Ok(document) => match page::instead(&document.bytes) {
                Some(what) => Err(no_registry(&request.url, &what)),
                None => Ok(Some(document)),
            },
            Err(FetchError::Status { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The answer to a request, whatever it is. An error says what to do.
    pub(super) fn read(
        &self,
        request: &Request,
        limit: u64,
    ) -> Result<fetch::Document, FetchError> {
        self.fetch.document(request, limit).map_err(|error| match error {
            FetchError::Status { url, status, hint } if hint.is_empty() => {
                let hint = self::hint(&url, status).to_owned();
                FetchError::Status { url, status, hint }
            }
            error => error,
        })
    }
}

/// The error of a server that gave something that no registry gives.
fn no_registry(url: &Url, what: &str) -> FetchError {
    let reason = format!(
        "it gave {what}, so this is no registry: check the address, or log in at the proxy or \
         portal that sent it"
    );
    FetchError::Refused { url: url.clone(), reason }
}

/// What to do about a status of a registry that was only asked.
fn hint(url: &Url, status: u16) -> &'static str {
    match status {
        400 if url.scheme() == "http" => {
            ": if the registry has TLS, leave out --plain-http; otherwise check the address"
        }
        403 => {
            ": the registry does not let this user read that: ask for the right to, or log in as \
             somebody else with `docker login`"
        }
        429 => ": the registry wants fewer requests: wait some minutes and run this again",
        500..=599 => ": the registry has trouble: run this again later",
        _ => "",
    }
}

/// What a registry says in the body of an error (OCI distribution spec, "Error Codes"):
/// `DENIED: requested access to the resource is denied (repository is read-only)`.
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
        /// Any JSON. Only a text is shown.
        #[serde(default)]
        detail: Value,
    }
    let body: Body = serde_json::from_slice(body).unwrap_or(Body { errors: Vec::new() });
    let own = body.errors.iter().map(|own| {
        let message = Some(own.message.as_str()).filter(|text| !text.is_empty());
        let detail = own.detail.as_str().filter(|text| !text.is_empty());
        let message = message.map(|text| format!(": {text}")).unwrap_or_default();
        let detail = detail.map(|text| format!(" ({text})")).unwrap_or_default();
        format!("{}{message}{detail}", own.code)
    });
    own.collect::<Vec<_>>().join("; ")
}

/// A URL without its query, in which a registry keeps what it knows of an upload.
pub fn shown(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_query(None);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_an_error_have_its_detail_if_that_is_for_people() {
        let error = |detail: &str| {
            format!(r#"{{"errors":[{{"code":"DENIED","message":"no","detail":{detail}}}]}}"#)
        };
        // olareg's, distribution's, and Harbor's.
        assert_eq!(words(error(r#""it is read-only""#).as_bytes()), "DENIED: no (it is read-only)");
        assert_eq!(words(error(r#"{"Op":"write","Err":28}"#).as_bytes()), "DENIED: no");
        assert_eq!(words(error("null").as_bytes()), "DENIED: no");
        assert_eq!(words(br#"{"errors":[{"code":"UNKNOWN"}]}"#), "UNKNOWN");
        assert_eq!(words(b"<html>"), "");
    }
}
