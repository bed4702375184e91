//! What is asked of a server or a disk.

use std::time::Duration;

use url::Url;

use super::secret::Secret;

/// One request for the bytes behind a URL.
#[derive(Clone, Debug)]
pub struct Request {
    /// `https://`, `http://` or `file://`.
    pub url: Url,
    /// Where to start, in bytes: a resumed transfer asks for the rest.
    pub offset: u64,
    /// The media types wanted, best first; empty for any.
    pub accept: Vec<String>,
    /// The value of the `Authorization` header. It is sent to the host of `url`
    /// alone, and not to another host that this one redirects to.
    pub authorization: Option<Secret>,
    /// The fields of a form, encoded for a URL: with it the request is a POST,
    /// and no redirect is followed, for the form may hold a password.
    pub form: Option<Secret>,
    /// How long the answer may stand still, where that is shorter than usual.
    pub patience: Option<Duration>,
}

impl Request {
    /// Asks for all of `url`, without a login.
    pub fn new(url: Url) -> Self {
        Self { url, offset: 0, accept: Vec::new(), authorization: None, form: None, patience: None }
    }
}
