//! What a server or a disk answers.

use std::io::Read;

use url::Url;

/// What came back, the body yet to be read.
pub struct Response {
    /// The URL that answered, after redirects. After a redirect its query is left
    /// out, which may hold a signature.
    pub url: Url,
    /// The HTTP status; 200 or 206 for a file.
    pub status: u16,
    /// The headers' names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// Where the body starts, in bytes: a server may ignore the offset.
    pub offset: u64,
    /// How many bytes the body has, where the server says.
    pub length: Option<u64>,
    /// The body, with no content coding undone.
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
