//! Completing an unfinished file from one place, in as many pieces as it takes.

use std::io::{self, Read, Seek, Write};
use std::time::Duration;

use bundle_format::Digest;
use bundle_format::digest::Hasher;

use super::backoff::{Clock, backoff};
use super::cache::{CacheError, Partial};
use super::checksum::Checksum;
use super::error::FetchError;
use super::request::Request;
use super::response::Response;
use super::source::Source;

/// How many attempts in a row may bring nothing new.
const BARREN_ATTEMPTS: u32 = 5;
/// The bytes that an attempt must bring for each second it takes.
const LEAST_RATE: u64 = 1000;
/// The most attempts for a small file. A larger one may have one attempt more for each
/// [`BYTES_AN_ATTEMPT`]: real servers and proxies cut a connection after some
/// megabytes, not after some bytes.
const ATTEMPTS: u64 = 20;
const BYTES_AN_ATTEMPT: u64 = 1 << 20;

/// Why a transfer ended without all bytes.
#[derive(Debug)]
pub(super) enum Broken {
    /// This place failed. Another may succeed.
    Source(FetchError),
    /// The cache could not store them.
    Cache(CacheError),
}

/// A transfer from one place.
pub(super) struct Transfer<'a> {
    pub(super) source: &'a Source<'a>,
    pub(super) size: u64,
    /// The checksum that the bytes must have.
    pub(super) wanted: &'a Checksum,
    pub(super) clock: Clock,
    /// Is called with the number of bytes that are new.
    pub(super) progress: &'a dyn Fn(u64),
    /// The most bytes that there have been. Bytes that were thrown away and come
    /// again are not progress.
    pub(super) reached: u64,
}

/// The bytes of the unfinished file.
struct Held {
    partial: Partial,
    hasher: Hasher,
    have: u64,
}

impl Held {
    /// Hashes the bytes of an earlier attempt again, because nothing says that
    /// they are still the same.
    fn of(mut partial: Partial) -> Result<Self, Broken> {
        let mut hasher = Hasher::new();
        partial.file.rewind().map_err(|error| disk(&partial, error))?;
        let have = io::copy(&mut partial.file, &mut hasher);
        let have = have.map_err(|error| disk(&partial, error))?;
        Ok(Self { partial, hasher, have })
    }

    /// Throws the bytes away.
    fn nothing_of(partial: Partial) -> Result<Self, Broken> {
        let mut held = Self { partial, hasher: Hasher::new(), have: 0 };
        held.throw_away()?;
        Ok(held)
    }

    fn throw_away(&mut self) -> Result<(), Broken> {
        self.partial.file.set_len(0).map_err(|error| disk(&self.partial, error))?;
        (self.have, self.hasher) = (0, Hasher::new());
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        self.partial.file.write_all(bytes).map_err(|error| disk(&self.partial, error))?;
        self.hasher.update(bytes);
        self.have += bytes.len() as u64;
        Ok(())
    }
}

fn disk(partial: &Partial, source: io::Error) -> Broken {
    Broken::Cache(CacheError::at(&partial.path, source))
}

/// How an attempt ended.
enum Attempt {
    /// All bytes are there.
    Done,
    /// Another attempt may bring the rest.
    Passing(FetchError),
}

impl Transfer<'_> {
    /// Completes `partial`, checks it, and gives it with its digest. An earlier
    /// attempt may have left damaged bytes, or bytes from another place. So if
    /// the whole file is wrong, it is fetched once more, all of it from this
    /// place.
    pub(super) fn run(&mut self, partial: Partial) -> Result<(Partial, Digest), Broken> {
        let mut held = Held::of(partial)?;
        if held.have > self.size {
            held.throw_away()?;
        }
        self.tell(held.have);
        let mut in_pieces = held.have > 0;
        in_pieces |= self.fill(&mut held)?;
        let mut checked = self.check(held)?;
        if let (Err(_), true) = (&checked.1, in_pieces) {
            let mut held = Held::nothing_of(checked.0)?;
            self.fill(&mut held)?;
            checked = self.check(held)?;
        }
        match checked {
            (partial, Ok(digest)) => Ok((partial, digest)),
            (partial, Err(error)) => {
                drop(std::fs::remove_file(&partial.path));
                Err(Broken::Source(error))
            }
        }
    }

    fn check(&self, held: Held) -> Result<(Partial, Result<Digest, FetchError>), Broken> {
        let Held { mut partial, hasher, .. } = held;
        let found = hasher.finish();
        let (matches, shown) = match self.wanted.sha256() {
            Some(wanted) => (wanted == found, found.to_string()),
            // While the bytes came, only their SHA-256 was computed.
            None => {
                let read =
                    partial.file.rewind().and_then(|()| self.wanted.matches(&mut partial.file));
                (read.map_err(|error| disk(&partial, error))?, "other bytes".to_owned())
            }
        };
        let result = match matches {
            true => Ok(found),
            false => Err(FetchError::Mismatch {
                url: self.source.request.url.clone(),
                wanted: self.wanted.to_string(),
                found: shown,
            }),
        };
        Ok((partial, result))
    }

    /// Asks until all bytes have come. Gives true if that took more than one
    /// piece.
    fn fill(&mut self, held: &mut Held) -> Result<bool, Broken> {
        let (mut attempts, mut barren) = (0, 0);
        while held.have < self.size {
            let (before, begun) = (self.reached, (self.clock.now)());
            let error = match self.attempt(held)? {
                Attempt::Done => break,
                Attempt::Passing(error) => error,
            };
            attempts += 1;
            let took = (self.clock.now)().saturating_duration_since(begun);
            barren = if is_fruitful(self.reached - before, took) { 0 } else { barren + 1 };
            if barren == BARREN_ATTEMPTS || attempts == ATTEMPTS + self.size / BYTES_AN_ATTEMPT {
                return Err(Broken::Source(error));
            }
            (self.clock.sleep)(backoff(barren));
        }
        Ok(attempts > 0)
    }

    /// Asks once for the rest, and takes what comes.
    fn attempt(&mut self, held: &mut Held) -> Result<Attempt, Broken> {
        let request = Request { offset: held.have, ..self.source.request.clone() };
        let response = self.source.fetch.open(&request).map_err(Broken::Source)?;
        match self.misfit(&response, held)? {
            Some(error) => Ok(Attempt::Passing(error)),
            None => self.take(response.body, held),
        }
    }

    /// Why the body cannot be added to the bytes here, if another attempt may
    /// bring one that can. Bytes that this answer shows to be useless are thrown
    /// away.
    fn misfit(&self, response: &Response, held: &mut Held) -> Result<Option<FetchError>, Broken> {
        let url = || self.source.request.url.clone();
        let status =
            |status, hint: &str| FetchError::Status { url: url(), status, hint: hint.to_owned() };
        match response.status {
            200 | 206 => {}
            // This file is longer than the server's, so it is a different
            // one.
            416 => {
                held.throw_away()?;
                return Ok(Some(status(416, "")));
            }
            other => return Err(Broken::Source(status(other, hint(other)))),
        }
        if response.offset != held.have {
            // The server sent all of it, or another piece.
            held.throw_away()?;
            if response.offset != 0 {
                let words = "it gave another range than was asked for";
                return Ok(Some(self.transport(io::Error::other(words))));
            }
        }
        let left = self.size - held.have;
        match response.length {
            Some(length) if length != left => Err(Broken::Source(FetchError::Mismatch {
                url: url(),
                wanted: format!("{} bytes", self.size),
                found: format!("{} bytes", held.have.saturating_add(length)),
            })),
            _ => Ok(None),
        }
    }

    /// Adds a body's bytes to those here.
    fn take(&mut self, body: impl Read, held: &mut Held) -> Result<Attempt, Broken> {
        let left = self.size - held.have;
        let mut body = body.take(left);
        let mut buffer = vec![0; usize::try_from(left).unwrap_or(usize::MAX).min(128 << 10)];
        loop {
            match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => held.put(buffer.get(..count).unwrap_or_default())?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Ok(Attempt::Passing(self.transport(error))),
            }
            self.tell(held.have);
        }
        if held.have < self.size {
            let words = format!("it broke off after {} of {} bytes", held.have, self.size);
            return Ok(Attempt::Passing(self.transport(io::Error::other(words))));
        }
        Ok(Attempt::Done)
    }

    fn transport(&self, error: io::Error) -> FetchError {
        FetchError::Transport { url: self.source.request.url.clone(), source: error.into() }
    }

    fn tell(&mut self, have: u64) {
        if have > self.reached {
            (self.progress)(have - self.reached);
            self.reached = have;
        }
    }
}

/// Whether an attempt brought enough new bytes to go on.
fn is_fruitful(new: u64, took: Duration) -> bool {
    new > 0 && new >= took.as_secs().saturating_mul(LEAST_RATE)
}

/// What to do about an HTTP status.
fn hint(status: u16) -> &'static str {
    match status {
        404 | 410 => ": the server no longer has it; `bundler lock` finds out what it has now",
        _ => "",
    }
}

#[cfg(test)]
mod tests;
