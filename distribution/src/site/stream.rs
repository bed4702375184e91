//! A blob of a registry, read on where it broke off.

use std::io::{self, Read};
use std::sync::Arc;

use super::registry::Site;
use crate::fetch::backoff::backoff;
use crate::fetch::{FetchError, Request, with_causes};

/// How many attempts in a row may bring less than [`ENOUGH`].
const ATTEMPTS: u32 = 6;
/// How many bytes show that a registry works, and only its connections break off.
const ENOUGH: u64 = 1 << 20;

/// The bytes of a blob from an offset on. Nobody has checked them yet.
pub struct Stream {
    site: Arc<Site>,
    request: Request,
    /// The size of the whole blob.
    size: u64,
    /// The offset of the next byte.
    at: u64,
    body: Option<Box<dyn Read + Send>>,
    /// How many attempts were in vain, and where the first of them began.
    attempts: u32,
    since: u64,
}

impl Stream {
    /// Opens the blob of this size that `request` is for.
    pub fn open(site: Arc<Site>, request: Request, size: u64, from: u64) -> io::Result<Self> {
        let mut stream =
            Self { site, request, size, at: from, body: None, attempts: 0, since: from };
        stream.body = Some(stream.opened()?);
        Ok(stream)
    }

    /// The answer from the next byte on.
    fn opened(&self) -> io::Result<Box<dyn Read + Send>> {
        let request = Request { offset: self.at, ..self.request.clone() };
        let response = self.site.fetch().open(&request).map_err(|error| told(&error))?;
        let status = response.status;
        if !matches!(status, 200 | 206) {
            let hint = match status {
                401 | 403 => ": log in with `podman login`, or have the right to pull given",
                404 => ": the registry has lost this blob; push the bundle again",
                _ => "",
            };
            let (url, hint) = (response.url, hint.to_owned());
            return Err(told(&FetchError::Status { url, status, hint }));
        }
        let mut body = response.body;
        // Some registries send a blob from its beginning, whatever was asked for.
        let Some(skip) = self.at.checked_sub(response.offset) else {
            return Err(io::Error::other("the registry gave another range than was asked for"));
        };
        let skipped = io::copy(&mut body.by_ref().take(skip), &mut io::sink())?;
        match skipped == skip {
            true => Ok(body),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Counts an attempt in vain, and waits.
    fn wait(&mut self, error: io::Error) -> io::Result<()> {
        if self.at >= self.since.saturating_add(ENOUGH) {
            (self.attempts, self.since) = (0, self.at);
        }
        self.attempts += 1;
        if self.attempts >= ATTEMPTS {
            return Err(error);
        }
        std::thread::sleep(backoff(self.attempts));
        Ok(())
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at < self.size && !buffer.is_empty() {
            let mut body = match self.body.take() {
                Some(body) => body,
                None => self.opened()?,
            };
            let left = usize::try_from(self.size - self.at).unwrap_or(usize::MAX);
            let most = left.min(buffer.len());
            match body.read(buffer.get_mut(..most).unwrap_or_default()) {
                Ok(0) => {
                    let words = format!("it broke off after {} of {} bytes", self.at, self.size);
                    self.wait(io::Error::other(words))?;
                }
                Ok(count) => {
                    self.at += count as u64;
                    self.body = Some(body);
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    self.body = Some(body);
                }
                Err(error) => self.wait(error)?,
            }
        }
        Ok(0)
    }
}

fn told(error: &FetchError) -> io::Error {
    io::Error::other(with_causes(error))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::fetch::{Fetch, Response};

    /// A registry whose every answer breaks off after some bytes.
    struct Breaking {
        bytes: Vec<u8>,
        piece: usize,
        takes_ranges: bool,
        asked: Mutex<Vec<u64>>,
    }

    impl Fetch for Breaking {
        fn open(&self, request: &Request) -> Result<Response, FetchError> {
            self.asked.lock().unwrap().push(request.offset);
            let offset = if self.takes_ranges { request.offset } else { 0 };
            let from = usize::try_from(offset).unwrap();
            let until = usize::try_from(request.offset).unwrap() + self.piece;
            let body = self.bytes[from..until.min(self.bytes.len())].to_vec();
            Ok(Response {
                url: request.url.clone(),
                status: if offset > 0 { 206 } else { 200 },
                headers: Vec::new(),
                offset,
                length: None,
                body: Box::new(io::Cursor::new(body)),
            })
        }
    }

    fn read(takes_ranges: bool, piece: usize) -> (io::Result<Vec<u8>>, Vec<u64>) {
        let bytes: Vec<u8> = (0..100u8).collect();
        let server = Arc::new(Breaking { bytes, piece, takes_ranges, asked: Mutex::default() });
        let site = Arc::new(Site::over(Arc::clone(&server) as Arc<dyn Fetch>));
        let request = Request::new("https://r.io/v2/a/blobs/b".parse().unwrap());
        let mut stream = Stream::open(site, request, 100, 10).unwrap();
        let mut read = Vec::new();
        let result = stream.read_to_end(&mut read).map(|_| read);
        let asked = server.asked.lock().unwrap().clone();
        (result, asked)
    }

    #[test]
    fn it_goes_on_where_it_broke_off_with_ranges_and_without() {
        for takes_ranges in [true, false] {
            let (read, asked) = read(takes_ranges, 40);
            assert_eq!(read.unwrap(), (10..100u8).collect::<Vec<_>>(), "{takes_ranges}");
            assert_eq!(asked, [10, 50, 90]);
        }
    }

    #[test]
    fn a_registry_that_gives_nothing_is_given_up() {
        let (read, asked) = read(true, 0);
        assert_eq!(read.unwrap_err().to_string(), "it broke off after 10 of 100 bytes");
        assert_eq!(asked.len(), ATTEMPTS as usize);
    }
}
