//! Documents: files that are small enough to be read into memory, completely or not
//! at all.

use std::io;

use bundle_format::input::bounded;
use url::Url;

use super::backoff::backoff;
use super::error::FetchError;
use super::request::Request;
use super::response::{Response, header};

/// How many times a document is requested if its transfer breaks off.
const ATTEMPTS: u32 = 4;
/// Extensions of files that are compressed themselves. Some servers declare them as a
/// content coding, but send the file as it is.
const COMPRESSED: [&str; 8] = ["gz", "tgz", "bz2", "xz", "zst", "zck", "Z", "rpm"];

/// A complete document.
#[derive(Debug)]
pub struct Document {
    /// All its bytes.
    pub bytes: Vec<u8>,
    /// The headers' names in lower case, with their values.
    pub headers: Vec<(String, String)>,
}

impl Document {
    /// The first value of the header `name`, given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

/// Reads the complete answer to `request`, at most `limit` bytes, with what `open`
/// opens. If a transfer breaks off, the document is requested again. It is never
/// given in part.
pub(super) fn whole(
    open: &dyn Fn(&Request) -> Result<Response, FetchError>,
    request: &Request,
    limit: u64,
) -> Result<Document, FetchError> {
    let mut attempt = 1;
    loop {
        let response = open(request)?;
        match read(response, &request.url, limit) {
            Err(FetchError::Transport { .. }) if attempt < ATTEMPTS => {
                std::thread::sleep(backoff(attempt));
                attempt += 1;
            }
            result => return result,
        }
    }
}

fn read(response: Response, url: &Url, limit: u64) -> Result<Document, FetchError> {
    // Any other answer, above all 206, does not have all of it.
    if response.status != 200 {
        let hint = String::new();
        return Err(FetchError::Status { url: url.clone(), status: response.status, hint });
    }
    if response.length.is_some_and(|length| length > limit) {
        return Err(FetchError::TooLarge { url: url.clone(), limit });
    }
    check_coding(&response, url)?;
    let transport =
        |error: io::Error| FetchError::Transport { url: url.clone(), source: error.into() };
    let Response { headers, length, body, .. } = response;
    let bytes = bounded(body, limit).map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => FetchError::TooLarge { url: url.clone(), limit },
        _ => transport(error),
    })?;
    let size = bytes.len() as u64;
    if let Some(length) = length.filter(|length| *length != size) {
        let words = format!("it broke off after {size} of {length} bytes");
        return Err(transport(io::Error::other(words)));
    }
    Ok(Document { bytes, headers })
}

/// Refuses a content coding. It would have to be undone here and in every later
/// build, and the digest of the decoded bytes is not that of the bytes that were
/// sent.
fn check_coding(response: &Response, url: &Url) -> Result<(), FetchError> {
    let coding = response.header("content-encoding").unwrap_or("identity").trim();
    let is_file = url.path().rsplit_once('.').is_some_and(|(_, end)| COMPRESSED.contains(&end));
    if coding.is_empty() || coding.eq_ignore_ascii_case("identity") || is_file {
        return Ok(());
    }
    Err(FetchError::Refused {
        url: url.clone(),
        reason: format!(
            "the server sends it in the coding `{coding}` although it was asked not to; name another place, or save the file beside the spec"
        ),
    })
}
