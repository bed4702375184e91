//! `https://` and `http://` URLs.

use std::io::Read;
use std::time::Duration;

use bundle_format::recognise;
use reqwest::Certificate;
use reqwest::blocking::{Client, ClientBuilder, RequestBuilder};
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
    HeaderName, HeaderValue, LOCATION, RANGE, TRANSFER_ENCODING,
};
use url::Url;

use super::error::{FetchError, with_causes};
use super::failure;
use super::fetcher::Fetch;
use super::no_proxy::NoProxy;
use super::pace::Paced;
use super::proxy::Mistakes;
use super::request::{Action, Request, Sending, Verb};
use super::response::{Response, header};

/// The longest wait for a connection. It includes finding the address, TLS and a
/// proxy's answer.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a transfer may bring no bytes. The library applies it to each read.
const STALL: Duration = Duration::from_secs(60);
/// How long a server may take to answer what was sent to it. It may copy a whole layer
/// before it does.
const ANSWER: Duration = Duration::from_secs(300);
/// The least rate of sending, in bytes a second. The library has one time for sending and
/// for the answer.
const LEAST_RATE: u64 = 20_000;
/// How many redirects are followed. Real chains have up to three.
const MAX_REDIRECTS: usize = 10;

/// A client that cannot be set up as asked.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// A certificate file does not hold a certificate.
    #[error(
        "the CA file {file} is {what}, and holds no certificate in PEM form, which begins with `-----BEGIN CERTIFICATE-----`"
    )]
    Certificate {
        /// The file.
        file: String,
        /// What kind of file it is.
        what: &'static str,
    },
    /// The library refuses the settings.
    #[error("cannot set up TLS: {0}")]
    Tls(String),
}

/// An HTTP client. It reads the proxies from the environment (`HTTPS_PROXY`,
/// `HTTP_PROXY`, `NO_PROXY`), checks certificates against the authorities of the
/// system and the additional ones, and decodes no content coding.
pub struct HttpFetch {
    proxied: Client,
    direct: Client,
    no_proxy: NoProxy,
    mistakes: Mistakes,
    stall: Duration,
}

impl HttpFetch {
    /// A client that trusts the authorities in `extra` (a name and PEM text
    /// each) besides the system's.
    pub fn new(extra: &[(String, Vec<u8>)], stall: Option<Duration>) -> Result<Self, HttpError> {
        // Sets the provider for the whole process, so that the library does
        // not guess one.
        drop(rustls::crypto::CryptoProvider::install_default(
            rustls::crypto::ring::default_provider(),
        ));
        let stall = stall.unwrap_or(STALL);
        let certificates = certificates(extra)?;
        let client = |is_proxied| {
            let builder = || builder(stall, is_proxied);
            // A minimal host has no authorities of its own. Then the
            // library fails even for plain http, so the compiled-in
            // authorities are used.
            let of_system = builder().tls_certs_merge(certificates.clone()).build();
            of_system
                .or_else(|_| builder().tls_certs_only(with_bundled(&certificates)).build())
                .map_err(|error| HttpError::Tls(with_causes(&error)))
        };
        let no_proxy = NoProxy::of_environment();
        Ok(Self {
            proxied: client(true)?,
            direct: client(false)?,
            mistakes: Mistakes::of_environment(&no_proxy),
            no_proxy,
            stall,
        })
    }

    fn send(
        &self,
        request: &Request,
        url: &Url,
        same_origin: bool,
    ) -> Result<reqwest::blocking::Response, FetchError> {
        let is_direct = self.no_proxy.has(url);
        if let Some(why) = self.mistakes.about(url).filter(|_| !is_direct) {
            let source = failure::Lasting(why.to_owned()).into();
            return Err(FetchError::Unreachable { url: shown(url, request), source });
        }
        let client = if is_direct { &self.direct } else { &self.proxied };
        let mut builder = match (&request.action, &request.form) {
            (Action::Send(sending), _) => send(client, url, sending),
            (Action::Look, _) => client.head(url.clone()),
            (Action::Read, None) => client.get(url.clone()),
            (Action::Read, Some(form)) => client
                .post(url.clone())
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form.expose().to_owned()),
        };
        if let Some(patience) = request.patience.filter(|_| !request.is_sending()) {
            builder = builder.timeout(patience.min(self.stall));
        }
        // Sizes and digests are those of the bytes as the server stores them.
        builder = builder.header(ACCEPT_ENCODING, "identity");
        if !request.accept.is_empty() {
            builder = builder.header(ACCEPT, request.accept.join(", "));
        }
        if request.offset > 0 {
            builder = builder.header(RANGE, format!("bytes={}-", request.offset));
        }
        if let (Some(secret), true) = (&request.authorization, same_origin) {
            let mut value = HeaderValue::from_str(secret.expose()).map_err(|_| {
                refused(&request.url, "the credentials hold characters that HTTP does not allow")
            })?;
            value.set_sensitive(true);
            builder = builder.header(AUTHORIZATION, value);
        }
        builder.send().map_err(|error| {
            let failed = failure::of_request(error, shown(url, request));
            if same_origin { failed } else { failure::redirected(failed, &request.url) }
        })
    }
}

impl Fetch for HttpFetch {
    fn open(&self, request: &Request) -> Result<Response, FetchError> {
        let mut url = request.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            if !matches!(url.scheme(), "http" | "https") {
                return Err(FetchError::Scheme { url: shown(&url, request) });
            }
            let same_origin = url.origin() == request.url.origin();
            let response = self.send(request, &url, same_origin)?;
            let status = response.status();
            let target = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            match target {
                Some(target) if matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) => {
                    url = redirected(request, &url, target)?;
                }
                _ => return Ok(answer(shown(&url, request), response)),
            }
        }
        Err(refused(&request.url, &format!("it redirects more than {MAX_REDIRECTS} times")))
    }
}

/// A request that brings something.
fn send(client: &Client, url: &Url, sending: &Sending) -> RequestBuilder {
    let builder = match sending.verb {
        Verb::Post => client.post(url.clone()),
        Verb::Patch => client.patch(url.clone()),
        Verb::Put => client.put(url.clone()),
    };
    let size = sending.body.len() as u64;
    // Not a reader: the library would lose the answer of a server that answers before it
    // has read all, such as 413.
    let builder =
        builder.body(sending.body.clone()).timeout(ANSWER + Duration::from_secs(size / LEAST_RATE));
    let builder = match sending.media_type.as_str() {
        "" => builder,
        media_type => builder.header(CONTENT_TYPE, media_type),
    };
    match sending.offset {
        // Without a unit (OCI distribution spec, "Pushing a blob in chunks").
        Some(offset) if size > 0 => {
            builder.header(CONTENT_RANGE, format!("{offset}-{}", offset + size - 1))
        }
        _ => builder,
    }
}

/// The settings that all clients have.
fn builder(stall: Duration, is_proxied: bool) -> ClientBuilder {
    let builder = Client::builder()
        .user_agent(concat!("kubeferry/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .timeout(stall)
        .redirect(reqwest::redirect::Policy::none())
        // One connection for each transfer: with HTTP/2, all transfers of a
        // host would share one connection and its window.
        .http1_only();
    if is_proxied { builder } else { builder.no_proxy() }
}

/// Reads the certificates in `extra`, a name and PEM text each.
fn certificates(extra: &[(String, Vec<u8>)]) -> Result<Vec<Certificate>, HttpError> {
    let mut certificates = Vec::new();
    for (name, pem) in extra {
        // An editor on Windows puts a byte order mark there.
        let text = pem.strip_prefix(b"\xef\xbb\xbf").unwrap_or(pem);
        let parsed = Certificate::from_pem_bundle(text).unwrap_or_default();
        if parsed.is_empty() {
            let what = recognise::what(pem);
            return Err(HttpError::Certificate { file: name.clone(), what });
        }
        certificates.extend(parsed);
    }
    Ok(certificates)
}

/// These certificates, and the compiled-in ones.
fn with_bundled(certificates: &[Certificate]) -> Vec<Certificate> {
    let bundled = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
    let bundled = bundled.filter_map(|der| Certificate::from_der(der).ok());
    certificates.iter().cloned().chain(bundled).collect()
}

/// The URL to which `url` redirects, if its answer names `target`.
fn redirected(request: &Request, url: &Url, target: &str) -> Result<Url, FetchError> {
    let refused = |reason| Err(refused(&shown(url, request), reason));
    if request.form.is_some() {
        return refused("it redirects a login, which must go to no other server");
    }
    if request.is_sending() {
        return refused("it redirects what is sent to it; name the server that it leads to");
    }
    let Ok(mut next) = url.join(target) else {
        return refused("it redirects to something that is not a URL");
    };
    // A redirect must not bring a login.
    let _ = next.set_username("").and_then(|()| next.set_password(None));
    if url.scheme() == "https" && next.scheme() != "https" {
        return refused("it redirects from https to a place without TLS");
    }
    Ok(next)
}

/// A URL as it may be shown. The query of a redirect's target is left out, because it
/// is often a signature, which is as good as a password.
fn shown(url: &Url, request: &Request) -> Url {
    let mut url = url.clone();
    if url != request.url {
        url.set_query(None);
        url.set_fragment(None);
    }
    url
}

fn answer(url: Url, response: reqwest::blocking::Response) -> Response {
    let status = response.status().as_u16();
    let headers: Vec<(String, String)> = response
        .headers()
        .iter()
        .filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        })
        .collect();
    let header = |name: HeaderName| header(&headers, name.as_str());
    // `bytes 100-199/200` (RFC 9110, 14.4)
    let offset = match status {
        206 => header(CONTENT_RANGE)
            .and_then(|range| range.strip_prefix("bytes ")?.split('-').next()?.parse().ok())
            .unwrap_or(0),
        _ => 0,
    };
    // If there is a transfer coding, the length means nothing (RFC 9112, 6.3).
    let length = match header(TRANSFER_ENCODING) {
        Some(_) => None,
        None => header(CONTENT_LENGTH).and_then(|length| length.parse().ok()),
    };
    let body: Box<dyn Read + Send> = Box::new(Paced::new(response));
    Response { url, status, offset, length, headers, body }
}

fn refused(url: &Url, reason: &str) -> FetchError {
    FetchError::Refused { url: url.clone(), reason: reason.to_owned() }
}
