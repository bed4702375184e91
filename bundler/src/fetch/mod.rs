//! Getting bytes from elsewhere. [`Fetch`] is the one door to the network and
//! to `file://`; everything above it (retries, resume, the cache, the registry
//! protocol) is the same for both, and a test stands in for it here.

use std::io::Read;
use std::time::Duration;

use url::Url;

pub mod cache;
pub mod checksum;
pub mod client;
mod document;
pub mod download;
mod error;
mod failure;
pub mod file;
pub mod http;
pub mod memory;
mod no_proxy;
pub mod notice;
mod pace;
mod proxy;
pub mod queue;
pub mod retry;
mod spelling;
mod survey;
mod transfer;

pub use document::{Document, bytes, document};
pub use error::FetchError;
pub(crate) use error::chain;

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
    /// The fields of a form, encoded for a URL: with it the request is a POST,
    /// and no redirect is followed, for the form may hold a password.
    pub form: Option<Secret>,
    /// How long the answer may stand still, where that is shorter than usual.
    pub patience: Option<Duration>,
}

impl Request {
    /// Asks for all of `url`, as anybody.
    pub fn new(url: Url) -> Self {
        Self { url, offset: 0, accept: Vec::new(), authorization: None, form: None, patience: None }
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
        header(&self.headers, name)
    }
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// Opens what is behind a URL. Two real implementations: the HTTP client and
/// [`file::FileFetch`].
pub trait Fetch: Send + Sync {
    /// Sends the request once and returns when the headers are there. An HTTP
    /// error status is a [`Response`], not an error.
    fn open(&self, request: &Request) -> Result<Response, FetchError>;

    /// Reads the whole of what `request` asks for, at most `limit` bytes of it. What
    /// breaks off is asked for again, and never given in part.
    fn document(&self, request: &Request, limit: u64) -> Result<Document, FetchError> {
        document::whole(&|request| self.open(request), request, limit)
    }
}
