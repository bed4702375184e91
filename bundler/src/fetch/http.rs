//! `https://` and `http://` URLs.

use std::io::Read;
use std::time::Duration;

use bundle_format::recognise;
use reqwest::blocking::Client;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
    HeaderValue, LOCATION, RANGE, TRANSFER_ENCODING,
};
use url::Url;

use super::no_proxy::NoProxy;
use super::pace::Paced;
use super::proxy::Mistakes;
use super::{Fetch, FetchError, Request, Response, chain, failure};

/// How long to wait for a connection, its name, TLS and a proxy's answer included.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a transfer may stand still; the library applies it to each read.
const STALL: Duration = Duration::from_secs(60);
/// How many redirects are followed; real chains have up to three.
const MAX_REDIRECTS: usize = 10;

/// A connection that cannot be set up as asked.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// A certificate file is no certificate.
    #[error(
        "the CA file {file} is {what}, and holds no certificate in PEM form, which begins with `-----BEGIN CERTIFICATE-----`"
    )]
    Certificate {
        /// The file.
        file: String,
        /// What it is.
        what: &'static str,
    },
    /// The library refuses its settings.
    #[error("cannot set up TLS: {0}")]
    Tls(String),
}

/// An HTTP client. It takes proxies from the environment (`HTTPS_PROXY`,
/// `HTTP_PROXY`, `NO_PROXY`), checks certificates against the system's
/// authorities and those given, and undoes no content coding.
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
        let mut certificates = Vec::new();
        for (name, pem) in extra {
            let parsed = reqwest::Certificate::from_pem_bundle(pem)
                .ok()
                .filter(|parsed| !parsed.is_empty())
                .ok_or_else(|| HttpError::Certificate {
                    file: name.clone(),
                    what: recognise::what(pem),
                })?;
            certificates.extend(parsed);
        }
        // One provider for the whole process, chosen here rather than guessed.
        drop(rustls::crypto::CryptoProvider::install_default(
            rustls::crypto::ring::default_provider(),
        ));
        let build = |bundled: bool, proxied: bool| {
            let builder = Client::builder()
                .user_agent(concat!("kubeferry/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(CONNECT)
                .timeout(stall.unwrap_or(STALL))
                .redirect(reqwest::redirect::Policy::none())
                // One connection a transfer: over HTTP/2 all of a host's would
                // share one and its window.
                .http1_only();
            let builder = if proxied { builder } else { builder.no_proxy() };
            if bundled {
                let mut all = certificates.clone();
                all.extend(
                    webpki_root_certs::TLS_SERVER_ROOT_CERTS
                        .iter()
                        .filter_map(|der| reqwest::Certificate::from_der(der).ok()),
                );
                builder.tls_certs_only(all).build()
            } else {
                builder.tls_certs_merge(certificates.clone()).build()
            }
        };
        // A minimal host has no authorities of its own, which fails even for
        // plain http: then the bundled ones count.
        let client = |proxied| {
            build(false, proxied)
                .or_else(|_| build(true, proxied))
                .map_err(|error| HttpError::Tls(chain(&error)))
        };
        let no_proxy = NoProxy::of_environment();
        Ok(Self {
            proxied: client(true)?,
            direct: client(false)?,
            mistakes: Mistakes::of_environment(&no_proxy),
            no_proxy,
            stall: stall.unwrap_or(STALL),
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
        let mut builder = match &request.form {
            None => client.get(url.clone()),
            Some(form) => client
                .post(url.clone())
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form.expose().to_owned()),
        };
        if let Some(patience) = request.patience {
            builder = builder.timeout(patience.min(self.stall));
        }
        // Sizes and digests are those of the bytes as they lie there.
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
                    let from = shown(&url, request);
                    if request.form.is_some() {
                        return Err(refused(&from, "it redirects what must go nowhere else"));
                    }
                    let mut next = url
                        .join(target)
                        .map_err(|_| refused(&from, "it redirects to what is no URL"))?;
                    // Nobody is logged in by a redirect.
                    let _ = next.set_username("").and_then(|()| next.set_password(None));
                    if url.scheme() == "https" && next.scheme() != "https" {
                        return Err(refused(
                            &from,
                            "it redirects from https to a place without TLS",
                        ));
                    }
                    url = next;
                }
                _ => return Ok(answer(shown(&url, request), response)),
            }
        }
        Err(refused(&request.url, &format!("it redirects more than {MAX_REDIRECTS} times")))
    }
}

/// A URL as it may be shown: the query of one that was redirected to is often a
/// signature, which is as good as a password.
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
    let header = |name: reqwest::header::HeaderName| {
        headers.iter().find(|(key, _)| *key == name.as_str()).map(|(_, value)| value.as_str())
    };
    // `bytes 100-199/200` (RFC 9110, 14.4)
    let offset = match status {
        206 => header(CONTENT_RANGE)
            .and_then(|range| range.strip_prefix("bytes ")?.split('-').next()?.parse().ok())
            .unwrap_or(0),
        _ => 0,
    };
    // Beside a coding of the transfer, the length says nothing (RFC 9112, 6.3).
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
