//! Where a blob comes from.

use url::Url;

use super::fetcher::Fetch;
use super::request::Request;

/// A place that has a blob.
pub struct Source<'a> {
    /// How to get at it.
    pub fetch: &'a dyn Fetch,
    /// How to ask for the whole of it.
    pub request: Request,
}

impl<'a> Source<'a> {
    /// The whole of what is behind `url`, without a login.
    pub fn new(fetch: &'a dyn Fetch, url: Url) -> Self {
        Self { fetch, request: Request::new(url) }
    }
}
