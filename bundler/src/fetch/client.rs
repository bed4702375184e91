//! The one [`Fetch`] for every kind of URL.

use super::file::FileFetch;
use super::http::{HttpError, HttpFetch};
use super::notice::Notices;
use super::retry::Retry;
use super::{Fetch, FetchError, Request, Response};

/// Sends each request to the implementation for its scheme.
pub struct Client {
    http: Retry<HttpFetch>,
}

impl Client {
    /// A client that trusts the authorities in `extra` (a name and PEM text
    /// each) besides the system's.
    pub fn new(extra: &[(String, Vec<u8>)]) -> Result<Self, HttpError> {
        Ok(Self { http: Retry::new(HttpFetch::new(extra, None)?) })
    }

    /// The same with other words on what is tried again.
    pub fn telling(self, notices: &Notices) -> Self {
        Self { http: self.http.telling(notices) }
    }
}

impl Fetch for Client {
    fn open(&self, request: &Request) -> Result<Response, FetchError> {
        match request.url.scheme() {
            "file" => FileFetch.open(request),
            _ => self.http.open(request),
        }
    }
}
