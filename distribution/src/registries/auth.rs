//! Answers a registry's 401: first anonymously, then with a token, or with user and
//! password (distribution's `docs/spec/auth/token.md` and `oauth.md`). The answer is
//! kept for each repository, so that later requests are accepted at once.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use url::Url;
use url::form_urlencoded::Serializer;

use super::challenge::{self, Challenge};
use super::login::Login;
use super::registry::{Registries, registry_name};
use super::{credentials, realm};
use crate::fetch::{Fetch, FetchError, Request, Response, Secret, with_causes};

/// The largest answer of a token server that is read, in bytes. Real ones are
/// smaller.
const TOKEN_LIMIT: u64 = 1024 * 1024;
/// How long a token is valid if its server does not say, and the least that a server
/// may say (`docs/spec/auth/token.md`).
const LEAST_VALIDITY: Duration = Duration::from_secs(60);
/// A token is renewed this long before it expires.
const MARGIN: Duration = Duration::from_secs(10);

/// A [`Fetch`] that logs in if a registry asks for it. Use it only for URLs below
/// `/v2/` of a registry.
pub struct Authenticated {
    fetch: Arc<dyn Fetch>,
    registries: Registries,
    login_files: Vec<PathBuf>,
    /// The authorization for each origin, repository and what is done there. A thread
    /// holds the inner lock while it asks for a token, so that many threads ask only
    /// once.
    known: Mutex<HashMap<String, Arc<Mutex<Option<Held>>>>>,
}

/// An authorization that a repository accepted.
#[derive(Clone)]
struct Held {
    authorization: Secret,
    /// The user, for messages; `None` if anonymous.
    who: Option<String>,
    until: Option<Instant>,
}

impl Authenticated {
    /// Sends requests through `fetch`. `login_files` are
    /// [`super::login_file::places`].
    pub fn new(fetch: Arc<dyn Fetch>, registries: Registries, login_files: Vec<PathBuf>) -> Self {
        Self { fetch, registries, login_files, known: Mutex::default() }
    }

    fn slot(&self, request: &Request) -> Arc<Mutex<Option<Held>>> {
        let url = &request.url;
        // A token for pulling is none for pushing, nor one for mounting from another
        // repository.
        let purpose = match request.is_sending() {
            true => format!("pull,push {}", mounted_from(url).unwrap_or_default()),
            false => "pull".to_owned(),
        };
        let origin = url.origin().ascii_serialization();
        let key = format!("{origin} {} {purpose}", repository(url));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(key).or_default())
    }

    /// Logs in again. If another thread has already replaced `refused`, the new
    /// authorization is used.
    fn renew(
        &self,
        slot: &Mutex<Option<Held>>,
        refused: Option<&Held>,
        request: &Request,
        response: &Response,
    ) -> Result<Held, FetchError> {
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        let renewed = slot.as_ref().filter(|held| {
            refused.is_none_or(|refused| refused.authorization != held.authorization)
        });
        if let Some(held) = renewed {
            return Ok(held.clone());
        }
        let held = self.log_in(request, response)?;
        *slot = Some(held.clone());
        Ok(held)
    }

    fn log_in(&self, request: &Request, response: &Response) -> Result<Held, FetchError> {
        let url = &request.url;
        let registry = registry_name(url);
        let challenges: Vec<Challenge> = response
            .headers
            .iter()
            .filter(|(name, _)| name == "www-authenticate")
            .flat_map(|(_, value)| challenge::parse(value))
            .collect();
        let source = self.registries.get(&registry).map(|registry| registry.credentials.clone());
        let source = source.unwrap_or_default();
        let login = credentials::find(&source, &registry, repository(url), &self.login_files)
            .map_err(|error| refused(url, &with_causes(&error)))?;
        let bearer = challenges.iter().find_map(|challenge| match challenge {
            Challenge::Bearer { realm, service, scope } => Some((realm, service, scope)),
            Challenge::Basic => None,
        });
        if let Some((realm, service, scope)) = bearer {
            let realm = realm::parse(&self.registries, realm)
                .map_err(|error| refused(url, &error.to_string()))?;
            if login.is_some() {
                realm::check_login(&self.registries, url, &realm)
                    .map_err(|error| refused(url, &error.to_string()))?;
            }
            let actions = if request.is_sending() { "pull,push" } else { "pull" };
            let scope = scope
                .clone()
                .unwrap_or_else(|| format!("repository:{}:{actions}", repository(url)));
            let request = token_request(realm.clone(), service.as_deref(), &scope, login.as_ref());
            return self.token(&registry, &realm, &request, login.as_ref().map(Login::who));
        }
        if !challenges.contains(&Challenge::Basic) {
            return Err(refused(
                url,
                "it offers neither of the known ways to log in (Bearer and \
                 Basic)",
            ));
        }
        match &login {
            Some(own @ Login::Password { user, password }) => {
                let (authorization, who) = (basic(user, password), Some(own.who()));
                Ok(Held { authorization, who, until: None })
            }
            Some(Login::IdentityToken(_)) => Err(refused(
                url,
                &format!(
                    "registry {registry} wants user and password, but its login here is an \
                     identity token: log in again with `docker login {registry}`"
                ),
            )),
            None => Err(refused(url, &advice(&registry, None))),
        }
    }

    fn token(
        &self,
        registry: &str,
        realm: &Url,
        request: &Request,
        who: Option<String>,
    ) -> Result<Held, FetchError> {
        let answer = self.fetch.document(request, TOKEN_LIMIT);
        let bytes = answer.map_err(|error| explained(error, registry, who.as_deref()))?.bytes;
        let mismatch = |found: &str| FetchError::Mismatch {
            url: realm.clone(),
            wanted: format!("a token for registry {registry}"),
            found: found.to_owned(),
        };
        if bytes.trim_ascii_start().starts_with(b"<") {
            return Err(mismatch("an HTML page (of a captive portal or a proxy?)"));
        }
        // The parser's error could repeat the token.
        let answer: TokenAnswer =
            serde_json::from_slice(&bytes).map_err(|_| mismatch("no JSON with a token"))?;
        let token = [answer.token, answer.access_token]
            .into_iter()
            .flatten()
            .find(|token| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()))
            .ok_or_else(|| mismatch("JSON with no usable `token` or `access_token`"))?;
        let validity =
            answer.expires_in.map_or(LEAST_VALIDITY, Duration::from_secs).max(LEAST_VALIDITY);
        Ok(Held {
            authorization: Secret::new(format!("Bearer {token}")),
            who,
            until: Instant::now().checked_add(validity.saturating_sub(MARGIN)),
        })
    }
}

#[derive(Deserialize)]
struct TokenAnswer {
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    access_token: Option<String>,
    #[serde(default)]
    expires_in: Option<u64>,
}

impl Fetch for Authenticated {
    fn open(&self, request: &Request) -> Result<Response, FetchError> {
        let slot = self.slot(request);
        let held = slot
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .filter(|held| held.until.is_none_or(|until| Instant::now() < until));
        let send = |held: Option<&Held>| {
            let authorization = held.map(|held| held.authorization.clone());
            self.fetch.open(&Request { authorization, ..request.clone() })
        };
        let response = send(held.as_ref())?;
        // A 401 from a host that the registry redirected to is not the
        // registry's own. Its challenge must not decide where the registry's
        // password goes.
        if response.status != 401 || response.url.origin() != request.url.origin() {
            return Ok(response);
        }
        let held = self.renew(&slot, held.as_ref(), request, &response)?;
        drop(response);
        let response = send(Some(&held))?;
        if response.status == 401 && response.url.origin() == request.url.origin() {
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = None;
            let registry = registry_name(&request.url);
            let words = match (request.is_sending(), &held.who) {
                (true, Some(who)) => format!(
                    "registry {registry} does not let {who} push to {}: ask for the right to, or \
                     log in as somebody else with `docker login {registry}`",
                    repository(&request.url)
                ),
                (_, who) => advice(&registry, who.as_deref()),
            };
            return Err(refused(&request.url, &words));
        }
        Ok(response)
    }
}

/// `https://HOST/v2/<repository>/manifests/…` → the repository.
fn repository(url: &Url) -> &str {
    let path = url.path().strip_prefix("/v2/").unwrap_or_default();
    ["/manifests/", "/blobs/", "/referrers/"]
        .iter()
        .find_map(|part| path.rsplit_once(part))
        .map_or(path, |(repository, _)| repository)
}

/// The repository that a blob is to be mounted from.
fn mounted_from(url: &Url) -> Option<String> {
    url.query_pairs().find(|(name, _)| name == "from").map(|(_, value)| value.into_owned())
}

/// A GET with user and password or anonymous, or a POST with an identity token, which
/// must not be in a URL.
fn token_request(realm: Url, service: Option<&str>, scope: &str, login: Option<&Login>) -> Request {
    let mut request = Request::new(realm);
    let service = service.map(|service| ("service", service));
    if let Some(Login::IdentityToken(token)) = login {
        let mut form = Serializer::new(String::new());
        form.extend_pairs([("grant_type", "refresh_token"), ("client_id", "kubeferry")]);
        form.extend_pairs(service).append_pair("scope", scope);
        form.append_pair("refresh_token", token.expose());
        request.form = Some(Secret::new(form.finish()));
        return request;
    }
    // A form has one field for all scopes, a query one for each.
    let scopes = scope.split_ascii_whitespace().map(|scope| ("scope", scope));
    request.url.query_pairs_mut().extend_pairs(service.into_iter().chain(scopes));
    if let Some(Login::Password { user, password }) = login {
        request.authorization = Some(basic(user, password));
    }
    request
}

/// The error of a token server that refused, with advice.
fn explained(error: FetchError, registry: &str, who: Option<&str>) -> FetchError {
    let FetchError::Status { url, status, .. } = error else { return error };
    let hint = match status {
        400 | 401 | 403 => format!(": the token server of {}", advice(registry, who)),
        _ => format!(": the token server of registry {registry} has trouble; try again later"),
    };
    FetchError::Status { url, status, hint }
}

fn basic(user: &str, password: &Secret) -> Secret {
    let pair = format!("{user}:{}", password.expose());
    Secret::new(format!("Basic {}", STANDARD.encode(pair)))
}

fn refused(url: &Url, hint: &str) -> FetchError {
    FetchError::Status { url: url.clone(), status: 401, hint: format!(": {hint}") }
}

fn advice(registry: &str, who: Option<&str>) -> String {
    match who {
        Some(who) => format!(
            "registry {registry} refuses {who}: check that the image exists and that this user may \
             pull it, or log in again with `docker login {registry}`"
        ),
        None => format!(
            "registry {registry} wants a login, but none is configured: run `docker login \
             {registry}`, or name environment variables for it under `registries` in the spec; if \
             it needs no login, check the image's name"
        ),
    }
}

#[cfg(test)]
mod tests;
