//! [`Fetch`], the interface through which everything is fetched.

use url::Url;

use super::cache::Cache;
use super::document::{self, Document};
use super::error::FetchError;
use super::request::Request;
use super::response::Response;

/// Opens a URL. Two implementations fetch bytes themselves: the HTTP client and
/// [`FileFetch`](super::file::FileFetch). Others wrap them to try again, to log in or
/// to remember.
pub trait Fetch: Send + Sync {
    /// Sends the request once, and returns when the headers have come. An HTTP
    /// error status is a [`Response`], not an error.
    fn open(&self, request: &Request) -> Result<Response, FetchError>;

    /// Reads the complete answer to `request`, at most `limit` bytes. If a
    /// transfer breaks off, it is requested again. It is never given in part.
    fn document(&self, request: &Request, limit: u64) -> Result<Document, FetchError> {
        document::whole(&|request| self.open(request), request, limit)
    }

    /// The cache for what is made of documents. `None` if nothing is kept.
    fn cache(&self) -> Option<&Cache> {
        None
    }
}

/// Reads a complete document (metadata, a key, a manifest), at most `limit` bytes.
pub fn bytes(fetch: &dyn Fetch, url: &Url, limit: u64) -> Result<Vec<u8>, FetchError> {
    Ok(fetch.document(&Request::new(url.clone()), limit)?.bytes)
}
