//! Just enough of HTTP/1.1: GET and HEAD, ranges, kept-alive connections, a
//! thread for each.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// The longest request head, in bytes.
const HEAD_LIMIT: u64 = 64 * 1024;

/// A request without its body: nothing here takes one.
pub(crate) struct Request {
    method: String,
    /// The path, with neither query nor escapes taken out.
    pub(crate) path: String,
    query: String,
    /// Names in lower case.
    headers: HashMap<String, String>,
}

impl Request {
    /// A header's value by its lower-case name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The first value of a query parameter, unescaped.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let mut pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| unescape(value))
    }

    /// Reads one request; `None` when the client has hung up.
    fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let malformed = || io::Error::new(io::ErrorKind::InvalidData, "malformed request");
        let mut reader = reader.take(HEAD_LIMIT);
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let [method, target, _] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            return Err(malformed());
        };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut request = Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: HashMap::new(),
        };
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Err(malformed());
            }
            if line.trim().is_empty() {
                return Ok(Some(request));
            }
            let (name, value) = line.split_once(':').ok_or_else(malformed)?;
            // A header may come in several lines (RFC 9110, 5.3).
            let lines = request.headers.entry(name.trim().to_ascii_lowercase()).or_default();
            if !lines.is_empty() {
                lines.push_str(", ");
            }
            lines.push_str(value.trim());
        }
    }
}

/// `%XX` and `+` taken out of a query value.
fn unescape(text: &str) -> String {
    let text = text.replace('+', " ");
    let mut parts = text.split('%');
    let mut bytes: Vec<u8> = parts.next().unwrap_or_default().into();
    for part in parts {
        match part.get(..2).and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend(part.bytes().skip(2));
            }
            None => bytes.extend(format!("%{part}").bytes()),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

enum Body {
    Bytes(Vec<u8>),
    File(PathBuf),
}

/// A response; ranges and HEAD are seen to when it is sent.
pub(crate) struct Response {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Body,
    length: u64,
}

impl Response {
    /// A response with these bytes.
    pub(crate) fn bytes(status: u16, media_type: &str, bytes: Vec<u8>) -> Self {
        let length = bytes.len() as u64;
        let headers = vec![("Content-Type", media_type.to_owned())];
        Self { status, headers, body: Body::Bytes(bytes), length }
    }

    /// The content of a regular file; an error if there is none.
    pub(crate) fn file(media_type: &str, path: &Path) -> io::Result<Self> {
        let metadata = path.metadata()?;
        if !metadata.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let headers = vec![("Content-Type", media_type.to_owned())];
        let body = Body::File(path.to_owned());
        Ok(Self { status: 200, headers, body, length: metadata.len() })
    }

    /// With one more header.
    pub(crate) fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    fn send(mut self, request: &Request, stream: &mut impl Write) -> io::Result<()> {
        let (mut start, mut end) = (0, self.length);
        if self.status == 200 {
            self.headers.push(("Accept-Ranges", "bytes".to_owned()));
            match request.header("range").map(|range| parse_range(range, self.length)) {
                Some(Range::Part(first, after)) => {
                    (self.status, start, end) = (206, first, after);
                    let range = format!("bytes {first}-{}/{}", after - 1, self.length);
                    self.headers.push(("Content-Range", range));
                }
                Some(Range::Unsatisfiable) => {
                    (self.status, end) = (416, 0);
                    self.headers.push(("Content-Range", format!("bytes */{}", self.length)));
                }
                Some(Range::Whole) | None => {}
            }
        }
        write!(stream, "HTTP/1.1 {} {}\r\n", self.status, reason(self.status))?;
        for (name, value) in &self.headers {
            write!(stream, "{name}: {value}\r\n")?;
        }
        write!(stream, "Content-Length: {}\r\n\r\n", end - start)?;
        if request.method == "HEAD" {
            return stream.flush();
        }
        match self.body {
            Body::Bytes(bytes) => {
                let skipped = usize::try_from(start).unwrap_or(usize::MAX);
                let rest = bytes.get(skipped..).unwrap_or_default();
                io::copy(&mut rest.take(end - start), stream)?;
            }
            Body::File(path) => {
                let mut file = File::open(path)?;
                file.seek(SeekFrom::Start(start))?;
                io::copy(&mut file.take(end - start), stream)?;
            }
        }
        stream.flush()
    }
}

#[derive(Debug, PartialEq)]
enum Range {
    Whole,
    /// First byte and the one after the last.
    Part(u64, u64),
    Unsatisfiable,
}

/// One byte range of RFC 9110, 14.1.2; anything else is the whole, as a
/// server may answer.
fn parse_range(text: &str, length: u64) -> Range {
    let Some((first, last)) = text.strip_prefix("bytes=").and_then(|text| text.split_once('-'))
    else {
        return Range::Whole;
    };
    let (start, end) = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => (first, length.min(last.saturating_add(1))),
        (Ok(first), Err(_)) if last.is_empty() => (first, length),
        (Err(_), Ok(count)) if first.is_empty() => (length.saturating_sub(count), length),
        _ => return Range::Whole,
    };
    if start < end { Range::Part(start, end) } else { Range::Unsatisfiable }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        206 => "Partial Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        405 => "Method Not Allowed",
        416 => "Range Not Satisfiable",
        _ => "Not Found",
    }
}

/// The open connections, by the order they came in.
type Connections = Arc<Mutex<HashMap<u64, TcpStream>>>;

/// A running server; dropping it ends every connection.
pub(crate) struct Server {
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    connections: Connections,
    acceptor: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves what `answer` gives on `listener`.
    pub(crate) fn start(
        listener: TcpListener,
        answer: impl Fn(&Request) -> Response + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let stopping = Arc::new(AtomicBool::new(false));
        let connections = Connections::default();
        let answer = Arc::new(answer);
        let acceptor = thread::spawn({
            let (stopping, connections) = (Arc::clone(&stopping), Arc::clone(&connections));
            move || {
                for (number, stream) in (0..).zip(listener.incoming()) {
                    if stopping.load(Ordering::SeqCst) {
                        return;
                    }
                    let Ok(stream) = stream else { continue };
                    let Ok(clone) = stream.try_clone() else { continue };
                    locked(&connections).insert(number, clone);
                    let (answer, connections) = (Arc::clone(&answer), Arc::clone(&connections));
                    thread::spawn(move || {
                        // A client that hangs up in the middle is no failure of ours.
                        let _ = converse(&stream, &*answer);
                        let _ = stream.shutdown(Shutdown::Both);
                        locked(&connections).remove(&number);
                    });
                }
            }
        });
        Ok(Self { address, stopping, connections, acceptor: Some(acceptor) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // Wakes the acceptor, which then sees that it should stop.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
        for stream in locked(&self.connections).values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers one client's requests until it hangs up or asks to close.
fn converse(stream: &TcpStream, answer: &dyn Fn(&Request) -> Response) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    let mut writer = BufWriter::new(stream);
    while let Some(request) = Request::read(&mut reader)? {
        let response = match request.method.as_str() {
            "GET" | "HEAD" => answer(&request),
            _ => Response::bytes(405, "text/plain", b"only GET and HEAD\n".to_vec()),
        };
        let close = response.status == 405
            || request.header("connection").is_some_and(|v| v.eq_ignore_ascii_case("close"));
        let response =
            if close { response.with("Connection", "close".to_owned()) } else { response };
        response.send(&request, &mut writer)?;
        if close {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        for (text, expected) in [
            ("bytes=0-", Range::Part(0, 10)),
            ("bytes=3-5", Range::Part(3, 6)),
            ("bytes=3-99", Range::Part(3, 10)),
            ("bytes=-4", Range::Part(6, 10)),
            ("bytes=10-", Range::Unsatisfiable),
            ("bytes=5-3", Range::Whole),
            ("bytes=1-2,4-5", Range::Whole),
            ("lines=1-2", Range::Whole),
        ] {
            assert_eq!(parse_range(text, 10), expected, "{text}");
        }
    }

    #[test]
    fn query_values_are_unescaped() {
        assert_eq!(unescape("repository%3Apause%3Apull+x%2"), "repository:pause:pull x%2");
    }
}
