//! [`Fetch`], which all that gets bytes from elsewhere goes through.

use url::Url;

use super::document::{self, Document};
use super::error::FetchError;
use super::request::Request;
use super::response::Response;

/// Opens what is behind a URL. Two implementations get at the bytes, the HTTP client
/// and [`FileFetch`](super::file::FileFetch); others stand before them, and try again,
/// log in or remember.
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

/// Reads the whole of a document (metadata, a key, a manifest), at most `limit`
/// bytes of it.
pub fn bytes(fetch: &dyn Fetch, url: &Url, limit: u64) -> Result<Vec<u8>, FetchError> {
    Ok(fetch.document(&Request::new(url.clone()), limit)?.bytes)
}
