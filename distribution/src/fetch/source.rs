//! A place from which a blob can be fetched.

use url::Url;

use super::fetcher::Fetch;
use super::request::Request;

/// A place that has a blob.
pub struct Source<'a> {
    /// How to reach it.
    pub fetch: &'a dyn Fetch,
    /// The request for the whole blob.
    pub request: Request,
}

impl<'a> Source<'a> {
    /// All of `url`, without a login.
    pub fn new(fetch: &'a dyn Fetch, url: Url) -> Self {
        Self { fetch, request: Request::new(url) }
    }
}
