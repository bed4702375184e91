//! Where a blob comes from.

use super::fetcher::Fetch;
use super::request::Request;

/// A place that has a blob.
pub struct Source<'a> {
    /// How to get at it.
    pub fetch: &'a dyn Fetch,
    /// How to ask for the whole of it.
    pub request: Request,
}
