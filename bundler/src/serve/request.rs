//! What a client asks for: the head of an HTTP/1.1 request (RFC 9112).

use std::io::{self, Read};

use percent_encoding::percent_decode_str;
use url::form_urlencoded;

/// The most bytes of a request's head.
const LONGEST: usize = 16 * 1024;

/// The most header fields of a request.
const FIELDS: usize = 64;

/// A question to the server. It has no body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// The method as it was written: `GET`.
    pub(super) method: String,
    /// The path, decoded: `/v2/pause/manifests/3.9`.
    pub(super) path: String,
    /// What follows the `?`, decoded.
    pub(super) query: Vec<(String, String)>,
    /// The field `Range`, as it was written.
    pub(super) range: Option<String>,
    /// Whether more requests follow on this connection.
    pub(super) goes_on: bool,
}

impl Request {
    /// Stands for a question that nobody could read.
    pub(super) fn unread() -> Self {
        let (method, path) = ("GET".to_owned(), String::new());
        Self { method, path, query: Vec::new(), range: None, goes_on: false }
    }

    /// The first value of a name in the query.
    pub(super) fn asked(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// Why there is no next request.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unread {
    /// The client has ended the connection between two requests, or says no more.
    #[error("the client has gone")]
    Gone,
    /// The connection broke, or the client was too slow.
    #[error(transparent)]
    Broken(#[from] io::Error),
    /// It is no request of HTTP/1 that this server could answer.
    #[error("this is no request for this server: {0}")]
    Senseless(String),
}

/// Reads the next head. `buffer` keeps what was read behind it.
pub(super) fn next(stream: &mut impl Read, buffer: &mut Vec<u8>) -> Result<Request, Unread> {
    loop {
        if let Some((request, length)) = parse(buffer)? {
            buffer.drain(..length);
            return Ok(request);
        }
        if buffer.len() >= LONGEST {
            return Err(senseless("its head is too long"));
        }
        let mut piece = [0; 4096];
        match stream.read(&mut piece) {
            // Clients keep connections open as long as they like.
            Ok(0) if buffer.is_empty() => return Err(Unread::Gone),
            Err(error) if buffer.is_empty() && is_silence(&error) => return Err(Unread::Gone),
            Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            Err(error) => return Err(error.into()),
            Ok(count) => buffer.extend_from_slice(piece.get(..count).unwrap_or_default()),
        }
    }
}

/// Whether the client says nothing any more. A client that does not trust the certificate is
/// another error.
fn is_silence(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionReset, TimedOut, UnexpectedEof, WouldBlock};
    [ConnectionReset, TimedOut, UnexpectedEof, WouldBlock].contains(&error.kind())
}

/// The request at the beginning of `bytes`, and how many bytes its head has. None if the head
/// is not there as a whole.
fn parse(bytes: &[u8]) -> Result<Option<(Request, usize)>, Unread> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut head = httparse::Request::new(&mut fields);
    let parsed = head.parse(bytes).map_err(|error| senseless(&error.to_string()))?;
    let httparse::Status::Complete(length) = parsed else { return Ok(None) };
    let field = |name: &str| {
        let own = head.headers.iter().find(|own| own.name.eq_ignore_ascii_case(name));
        own.map(|own| String::from_utf8_lossy(own.value).trim().to_owned())
    };
    // A body that nobody reads would be taken for the next request.
    let is_body = |own: &httparse::Header<'_>| {
        own.name.eq_ignore_ascii_case("Transfer-Encoding")
            || own.name.eq_ignore_ascii_case("Content-Length") && own.value != b"0"
    };
    if head.headers.iter().any(is_body) {
        return Err(senseless("it has a body, and nothing can be written here"));
    }
    let target = head.path.unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let decoded = percent_decode_str(path).decode_utf8();
    let path = decoded.map_err(|_| senseless("its path is not UTF-8"))?.into_owned();
    let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let connection = field("Connection").unwrap_or_default();
    let is_last = connection.split(',').any(|own| own.trim().eq_ignore_ascii_case("close"));
    let request = Request {
        method: head.method.unwrap_or_default().to_owned(),
        path,
        query,
        // What was begun with other bytes cannot go on: whoever asks that gets all of it.
        range: field("Range").filter(|_| head.method == Some("GET") && field("If-Range").is_none()),
        goes_on: head.version == Some(1) && !is_last,
    };
    Ok(Some((request, length)))
}

fn senseless(reason: &str) -> Unread {
    Unread::Senseless(reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mut bytes: &[u8]) -> Result<Vec<Request>, Unread> {
        let mut buffer = Vec::new();
        let mut found = Vec::new();
        loop {
            match next(&mut bytes, &mut buffer) {
                Ok(request) => found.push(request),
                Err(Unread::Gone) => return Ok(found),
                Err(error) => return Err(error),
            }
        }
    }

    #[test]
    fn requests_follow_each_other() {
        let text = "GET /rpms/libstdc%2b%2b+.rpm?ns=docker.io&n=1 HTTP/1.1\r\nHost: a\r\n\
                    range: bytes=1-\r\n\r\nHEAD / HTTP/1.1\r\nConnection: a, Close\r\nRange: bytes=1-\r\n\r\n";
        let found = all(text.as_bytes()).unwrap();
        assert_eq!(found[0].path, "/rpms/libstdc+++.rpm");
        assert_eq!((found[0].asked("ns"), found[0].asked("n")), (Some("docker.io"), Some("1")));
        assert_eq!((found[0].range.as_deref(), found[0].goes_on), (Some("bytes=1-"), true));
        assert_eq!((found[1].method.as_str(), found[1].goes_on), ("HEAD", false));
        assert_eq!(found[1].range, None);
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn what_is_no_request_is_an_error() {
        let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(LONGEST + 1));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(FIELDS + 1));
        for text in [
            "\u{16}\u{3}\u{1}hello",
            "GET / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
            "GET / HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 3\r\n\r\nabc",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "GET /%ff HTTP/1.1\r\n\r\n",
            &long,
            &many,
        ] {
            let error = all(text.as_bytes()).unwrap_err();
            assert!(matches!(error, Unread::Senseless(_)), "{text}: {error}");
        }
        let cut = all(b"GET / HT").unwrap_err();
        assert!(matches!(cut, Unread::Broken(_)), "{cut}");
        assert_eq!(all(b"").unwrap(), []);
    }
}
