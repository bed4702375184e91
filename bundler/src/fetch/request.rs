//! A request to a server or a disk.

use std::time::Duration;

use url::Url;

use super::secret::Secret;

/// A request for the bytes of a URL.
#[derive(Clone, Debug)]
pub struct Request {
    /// `https://`, `http://` or `file://`.
    pub url: Url,
    /// The offset in bytes at which to start. A resumed transfer asks for the
    /// rest.
    pub offset: u64,
    /// The wanted media types, the preferred first. Empty for any.
    pub accept: Vec<String>,
    /// The value of the `Authorization` header. It is sent only to the host of
    /// `url`, and not to a host that this one redirects to.
    pub authorization: Option<Secret>,
    /// The fields of a form, URL-encoded. With them the request is a POST, and
    /// redirects are not followed, because the form may contain a password.
    pub form: Option<Secret>,
    /// How long the answer may bring no bytes, if that is shorter than usual.
    pub patience: Option<Duration>,
}

impl Request {
    /// Asks for all of `url`, without a login.
    pub fn new(url: Url) -> Self {
        Self { url, offset: 0, accept: Vec::new(), authorization: None, form: None, patience: None }
    }
}
