//! The answer of a server or a disk.

use std::io::Read;

use url::Url;

/// An answer. Its body is still to be read.
pub struct Response {
    /// The URL that answered, after redirects. After a redirect it has no query,
    /// because a query may contain a signature.
    pub url: Url,
    /// The HTTP status. A file has 200 or 206.
    pub status: u16,
    /// The headers' names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// The offset in bytes at which the body starts. A server may ignore the
    /// requested one.
    pub offset: u64,
    /// The number of bytes in the body, if the server says it.
    pub length: Option<u64>,
    /// The body. No content coding was decoded.
    pub body: Box<dyn Read + Send>,
}

impl Response {
    /// The first value of the header `name`, given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

/// The first value of the header `name`, given in lower case.
pub(super) fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}
