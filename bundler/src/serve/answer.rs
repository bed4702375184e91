//! An answer of the server, and how it is written.

use std::io::{self, Read, Write};

use bundle_format::archive::reader::Bundle;
use bundle_format::lock::Descriptor;
use bundle_format::text::printable;
use serde_json::json;

use super::range::{Part, part};
use super::request::Request;

/// What a client gets.
pub(super) struct Answer<'a> {
    /// The status: 200.
    pub(super) status: u16,
    /// Fields of the head, but for those of the length and the connection.
    pub(super) fields: Vec<(&'static str, String)>,
    /// The content. A `HEAD` gets its length only.
    pub(super) body: Body<'a>,
}

/// The content of an answer.
pub(super) enum Body<'a> {
    /// These bytes.
    Text(Vec<u8>),
    /// A blob of the bundle.
    Blob(&'a Descriptor),
}

impl<'a> Answer<'a> {
    /// A document.
    pub(super) fn text(kind: &str, text: impl Into<Vec<u8>>) -> Self {
        let fields = vec![("Content-Type", kind.to_owned())];
        Self { status: 200, fields, body: Body::Text(text.into()) }
    }

    /// A blob of the bundle.
    pub(super) fn blob(kind: &str, blob: &'a Descriptor) -> Self {
        let digest = blob.digest.to_string();
        let fields = vec![
            ("Content-Type", kind.to_owned()),
            ("Docker-Content-Digest", digest.clone()),
            ("ETag", format!("\"{digest}\"")),
            ("Accept-Ranges", "bytes".to_owned()),
        ];
        Self { status: 200, fields, body: Body::Blob(blob) }
    }

    /// A refusal in the words of the distribution specification, which also a person can
    /// read.
    pub(super) fn refusal(status: u16, code: &str, message: &str) -> Self {
        let text = json!({"errors": [{"code": code, "message": message}]});
        Self { status, ..Self::text("application/json", format!("{text}\n")) }
    }

    /// The same with a field more.
    pub(super) fn with(mut self, name: &'static str, value: String) -> Self {
        self.fields.push((name, value));
        self
    }

    /// Writes it, and says how many bytes of content it had. A blob is checked while it is
    /// read: if it is not what its digest says, its end is missing, and that is an error. A
    /// part that ends before that is for the client to check, as part of the whole.
    pub(super) fn write(
        self,
        to: &mut impl Write,
        request: &Request,
        bundle: &Bundle,
    ) -> io::Result<(u16, u64)> {
        let total = match &self.body {
            Body::Text(text) => text.len() as u64,
            Body::Blob(blob) => blob.size,
        };
        let asked = request.range.as_deref().filter(|_| matches!(self.body, Body::Blob(_)));
        let (status, sent, range) = match asked.map_or(Part::Whole, |range| part(range, total)) {
            Part::Whole => (self.status, 0..total, None),
            Part::Of(range) => {
                let shown = format!("bytes {}-{}/{total}", range.start, range.end - 1);
                (206, range, Some(shown))
            }
            Part::Outside => (416, 0..0, Some(format!("bytes */{total}"))),
        };
        let length = sent.end - sent.start;
        let mut head =
            format!("HTTP/1.1 {status} {}\r\nContent-Length: {length}\r\n", word(status));
        let range = range.map(|range| ("Content-Range", range));
        for (name, value) in self
            .fields
            .iter()
            .map(|(name, value)| (*name, value))
            .chain(range.iter().map(|(name, value)| (*name, value)))
        {
            // No client's text may begin a field of its own.
            head += &format!("{name}: {}\r\n", printable(value));
        }
        if !request.goes_on {
            head += "Connection: close\r\n";
        }
        to.write_all(format!("{head}\r\n").as_bytes())?;
        if request.method != "HEAD" {
            match self.body {
                Body::Text(text) => to.write_all(&text)?,
                Body::Blob(_) if length == 0 => {}
                Body::Blob(blob) => {
                    let mut reader = bundle.open_blob(blob).map_err(io::Error::other)?;
                    // What comes before is read too, because the digest is of the whole.
                    copy(&mut reader, &mut io::sink(), sent.start)?;
                    copy(&mut reader, to, length)?;
                }
            }
        }
        to.flush()?;
        Ok((status, length))
    }
}

/// Copies `count` bytes.
fn copy(from: &mut impl Read, to: &mut impl Write, count: u64) -> io::Result<()> {
    match io::copy(&mut from.take(count), to)? {
        copied if copied == count => Ok(()),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// What a status means, for those who read the head (RFC 9110).
fn word(status: u16) -> &'static str {
    match status {
        200 => "OK",
        206 => "Partial Content",
        404 => "Not Found",
        405 => "Method Not Allowed",
        416 => "Range Not Satisfiable",
        _ => "Bad Request",
    }
}
