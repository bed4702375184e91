//! Getting bytes from elsewhere. [`Fetch`] is the one door to the network and
//! to `file://`; everything above it (retries, resume, the cache, the registry
//! protocol) is the same for both, and a test stands in for it here.

use std::io::Read;

use url::Url;

pub mod cache;
pub mod client;
pub mod download;
pub mod file;
pub mod http;
pub mod notice;
pub mod queue;
pub mod retry;
mod spelling;

/// One request for the bytes behind a URL.
#[derive(Clone, Debug)]
pub struct Request {
    /// `https://`, `http://` or `file://`.
    pub url: Url,
    /// Where to start, in bytes: a resumed transfer asks for the rest.
    pub offset: u64,
    /// The media types wanted, best first; empty for any.
    pub accept: Vec<String>,
    /// The value of the `Authorization` header. It goes to the URL's own host
    /// and to no other that this one redirects to.
    pub authorization: Option<Secret>,
}

impl Request {
    /// Asks for all of `url`, as anybody.
    pub fn new(url: Url) -> Self {
        Self { url, offset: 0, accept: Vec::new(), authorization: None }
    }
}

/// A text that must not reach a log, an error or an argument list: it has no
/// `Display`, and `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the text in.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

/// What came back, the body yet to be read.
pub struct Response {
    /// Where the bytes came from in the end, after redirects; of one that was
    /// redirected to without its query, which may hold a signature.
    pub url: Url,
    /// The HTTP status; 200 or 206 for a file.
    pub status: u16,
    /// The headers' names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// Where the body starts, in bytes: a server may ignore the offset.
    pub offset: u64,
    /// How many bytes the body has, where the server says.
    pub length: Option<u64>,
    /// The body, with no content coding undone.
    pub body: Box<dyn Read + Send>,
}

impl Response {
    /// The first value of the header `name`, given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Opens what is behind a URL. Two real implementations: the HTTP client and
/// [`file::FileFetch`].
pub trait Fetch: Send + Sync {
    /// Sends the request once and returns when the headers are there. An HTTP
    /// error status is a [`Response`], not an error.
    fn open(&self, request: &Request) -> Result<Response, FetchError>;
}

/// Why bytes could not be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The connection, the name, TLS, the disk: nothing that the server said.
    #[error("cannot read {url}")]
    Transport {
        /// What was asked for.
        url: Url,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Nobody listens there, or no way leads there. That seldom passes soon.
    #[error("cannot reach {url}")]
    Unreachable {
        /// What was asked for.
        url: Url,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server's answer was not the thing.
    #[error("{url} answered with status {status}{hint}")]
    Status {
        /// What was asked for.
        url: Url,
        /// The HTTP status.
        status: u16,
        /// `: …` with what to do, or empty.
        hint: String,
    },
    /// The answer is larger than anything real would be.
    #[error(
        "{url} is larger than {limit} bytes, which nothing real of its kind is; it was not read"
    )]
    TooLarge {
        /// What was asked for.
        url: Url,
        /// The limit in bytes.
        limit: u64,
    },
    /// A URL of a kind that is not read.
    #[error("{url}: only https://, http:// and file:// URLs are read")]
    Scheme {
        /// What was asked for.
        url: Url,
    },
    /// The bytes are not those that were promised.
    #[error("{url} has {found}, but {wanted} was promised")]
    Mismatch {
        /// What was asked for.
        url: Url,
        /// What was promised: a size or a digest.
        wanted: String,
        /// What came.
        found: String,
    },
}

/// How often a document whose transfer breaks off is asked for.
const DOCUMENT_ATTEMPTS: u32 = 4;

/// Reads the whole of a small document (metadata, a key, a manifest) into
/// memory, at most `limit` bytes of it.
pub fn bytes(fetch: &dyn Fetch, url: &Url, limit: u64) -> Result<Vec<u8>, FetchError> {
    let mut attempt = 1;
    loop {
        let response = fetch.open(&Request::new(url.clone()))?;
        match read(response, url, limit) {
            Err(FetchError::Transport { .. }) if attempt < DOCUMENT_ATTEMPTS => {
                std::thread::sleep(retry::backoff(attempt));
                attempt += 1;
            }
            result => return result,
        }
    }
}

fn read(response: Response, url: &Url, limit: u64) -> Result<Vec<u8>, FetchError> {
    if !(200..300).contains(&response.status) {
        let hint = String::new();
        return Err(FetchError::Status { url: url.clone(), status: response.status, hint });
    }
    if response.length.is_some_and(|length| length > limit) {
        return Err(FetchError::TooLarge { url: url.clone(), limit });
    }
    let mut bytes = Vec::new();
    response
        .body
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| FetchError::Transport { url: url.clone(), source: error.into() })?;
    if bytes.len() as u64 > limit {
        return Err(FetchError::TooLarge { url: url.clone(), limit });
    }
    Ok(bytes)
}

/// An error with all its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = error.source();
    }
    text
}
