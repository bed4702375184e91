//! A request to a server or a disk.

use std::time::Duration;

use bytes::Bytes;
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
    /// What it does at the server. Files are only read.
    pub action: Action,
}

/// What a request does at a server.
#[derive(Clone, Debug, Default)]
pub enum Action {
    /// Asks for the bytes.
    #[default]
    Read,
    /// Asks whether they are there, and for no byte of them (HEAD).
    Look,
    /// Brings something. Redirects are not followed, because the bytes are for this
    /// server.
    Send(Sending),
}

/// What a request brings.
#[derive(Clone, Debug)]
pub struct Sending {
    /// How the server takes it.
    pub verb: Verb,
    /// The media type of the bytes. Empty if there are none.
    pub media_type: String,
    /// The bytes. A request may be sent more than once.
    pub body: Bytes,
    /// The offset of the bytes in the whole, if they are a piece of it.
    pub offset: Option<u64>,
}

/// How a server takes what a request brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Begins something.
    Post,
    /// Adds a piece.
    Patch,
    /// Puts the whole, or the last piece.
    Put,
}

impl Request {
    /// Asks for all of `url`, without a login.
    pub fn new(url: Url) -> Self {
        Self {
            url,
            offset: 0,
            accept: Vec::new(),
            authorization: None,
            form: None,
            patience: None,
            action: Action::Read,
        }
    }

    /// Asks whether there is something at `url`.
    pub fn look(url: Url) -> Self {
        Self { action: Action::Look, ..Self::new(url) }
    }

    /// Brings something to `url`.
    pub fn send(url: Url, sending: Sending) -> Self {
        Self { action: Action::Send(sending), ..Self::new(url) }
    }

    /// Whether it brings something.
    pub fn is_sending(&self) -> bool {
        matches!(self.action, Action::Send(_))
    }
}
