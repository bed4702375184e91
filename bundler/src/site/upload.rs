//! Bringing one blob into a repository (OCI distribution spec, "Pushing blobs"): not at
//! all if it is there, by a mount from another repository, or in pieces.

use std::io::{self, Read};
use std::thread;

use anyhow::{Context, anyhow};
use distribution::site::registry::{Answer, Site};
use url::Url;

use super::blob::Blob;
use super::refusal;
use super::sessions::Sessions;
use crate::fetch::backoff::backoff;
use crate::fetch::{FetchError, Request};
use crate::image::registry::Endpoint;
use crate::image::writing::{last_piece, piece};

/// The largest piece, in bytes. Each transfer holds one in memory. A proxy with nginx's
/// usual limit takes none of them, so a smaller one would help nobody.
const PIECE: u64 = 8 << 20;
/// How many sessions in a row may bring nothing new.
const BARREN_SESSIONS: u32 = 3;

/// How a blob came into a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moved {
    /// It was there.
    There,
    /// The registry took it from another repository.
    Mounted,
    /// It was sent: these are the bytes, less those that the registry had of it.
    Sent(u64),
}

/// A blob on its way.
pub(super) struct Upload<'a> {
    pub(super) site: &'a Site,
    pub(super) endpoint: &'a Endpoint,
    /// A repository of the same registry that has the blob.
    pub(super) from: Option<&'a str>,
    pub(super) sessions: &'a Sessions,
    /// Is called with numbers of bytes that are done.
    pub(super) progress: &'a dyn Fn(u64),
}

/// How far a blob is on its way.
#[derive(Default)]
struct Way {
    /// The most bytes that the registry has had. Those that are sent again are no progress.
    reached: u64,
    /// The bytes that were sent.
    sent: u64,
}

/// Why a session brought no blob.
enum Broken {
    /// Another session may bring it; from this place on, if there is one.
    Session(anyhow::Error, Option<Url>),
    /// Nothing else would help.
    Final(anyhow::Error),
}

impl From<anyhow::Error> for Broken {
    fn from(error: anyhow::Error) -> Self {
        Self::Final(error)
    }
}

impl From<FetchError> for Broken {
    fn from(error: FetchError) -> Self {
        Self::Final(refusal::in_words(error))
    }
}

impl Upload<'_> {
    /// Brings the blob.
    pub(super) fn run(&self, blob: &Blob<'_>) -> anyhow::Result<Moved> {
        let mut way = Way::default();
        let moved = self.bring(blob, &mut way)?;
        (self.progress)(blob.size - way.reached);
        Ok(moved)
    }

    fn bring(&self, blob: &Blob<'_>, way: &mut Way) -> anyhow::Result<Moved> {
        let look = self.endpoint.look_for_blob(&blob.digest);
        if self.is_there(&look)? {
            return Ok(Moved::There);
        }
        let mut place = self.sessions.place(&look.url);
        let mut barren = 0;
        loop {
            let before = way.reached;
            let error = match self.session(blob, &look.url, place, way) {
                Ok(moved) => {
                    self.sessions.forget(&look.url);
                    return Ok(moved);
                }
                Err(Broken::Final(error)) => return Err(error),
                Err(Broken::Session(error, next)) => {
                    place = next;
                    error
                }
            };
            barren = if way.reached > before { 0 } else { barren + 1 };
            if barren == BARREN_SESSIONS {
                return Err(error);
            }
            thread::sleep(backoff(barren));
            // Only the answer may have been lost.
            if self.is_there(&look)? {
                return Ok(Moved::Sent(way.sent));
            }
        }
    }

    fn is_there(&self, look: &Request) -> anyhow::Result<bool> {
        let answer = self.site.ask(look)?;
        match answer.status {
            200 => Ok(true),
            404 => Ok(false),
            _ => Err(refusal::of(&look.url, &answer)),
        }
    }

    /// Sends the blob, from where an earlier session ended if the registry still knows it.
    fn session(
        &self,
        blob: &Blob<'_>,
        url: &Url,
        known: Option<Url>,
        way: &mut Way,
    ) -> Result<Moved, Broken> {
        let known = known.and_then(|place| self.progress_of(place, blob.size));
        let (mut place, mut offset) = match known {
            Some(known) => known,
            None => match self.begin(blob)? {
                Some(place) => (place, 0),
                None => return Ok(Moved::Mounted),
            },
        };
        let mut bytes = blob.open()?;
        let skipped = io::copy(&mut bytes.by_ref().take(offset), &mut io::sink());
        skipped.with_context(|| format!("reading {}", blob.label))?;
        loop {
            let part = read(&mut bytes, blob, offset)?;
            let end = offset + part.len() as u64;
            let is_last = end == blob.size;
            let request = match is_last {
                true => {
                    last_piece(place.clone(), &blob.digest, (offset > 0).then_some(offset), part)
                }
                false => piece(place.clone(), offset, part),
            };
            let answer = match self.site.ask(&request) {
                Err(error @ FetchError::Transport { .. }) => {
                    return Err(Broken::Session(refusal::in_words(error), Some(place)));
                }
                answer => answer?,
            };
            way.sent += end - offset;
            offset = end;
            match (answer.status, is_last) {
                (201 | 204, true) => return Ok(Moved::Sent(way.sent)),
                (202, false) => {}
                _ => return Err(broken(&request.url, &answer)),
            }
            place = self.next(&request.url, &answer)?;
            self.sessions.keep(url, &place);
            if offset > way.reached {
                (self.progress)(offset - way.reached);
                way.reached = offset;
            }
        }
    }

    /// Begins an upload, and gives its place. None if the registry has mounted the blob.
    fn begin(&self, blob: &Blob<'_>) -> Result<Option<Url>, Broken> {
        let mut request = self.endpoint.begin_upload(&blob.digest, self.from);
        let mut answer = self.site.ask(&request);
        // Who may push here may still not read there.
        let is_refused = match &answer {
            Ok(answer) => matches!(answer.status, 401 | 403),
            Err(error) => matches!(error, FetchError::Status { status: 401, .. }),
        };
        if is_refused && self.from.is_some() {
            request = self.endpoint.begin_upload(&blob.digest, None);
            answer = self.site.ask(&request);
        }
        let answer = answer?;
        match answer.status {
            201 => Ok(None),
            202 => Ok(Some(self.next(&request.url, &answer)?)),
            _ => Err(Broken::Final(refusal::of(&request.url, &answer))),
        }
    }

    /// How far an upload is that was begun earlier, and where it goes on. None if the
    /// registry does not know it any more.
    fn progress_of(&self, place: Url, size: u64) -> Option<(Url, u64)> {
        let answer = self.site.ask(&Request::new(place.clone())).ok()?;
        if answer.status != 204 {
            return None;
        }
        let last: u64 = answer.header("range")?.rsplit('-').next()?.parse().ok()?;
        // A registry that has nothing says `0-0`.
        let have = if last == 0 { 0 } else { last + 1 };
        let place =
            answer.header("location").and_then(|to| self.endpoint.place(to)).unwrap_or(place);
        (have <= size).then_some((place, have))
    }

    fn next(&self, url: &Url, answer: &Answer) -> anyhow::Result<Url> {
        let location = answer.header("location");
        let location = location.with_context(|| {
            format!(
                "{} begins an upload, and does not say where",
                url.origin().ascii_serialization()
            )
        })?;
        self.endpoint.place(location).ok_or_else(|| {
            anyhow!(
                "{} wants the bytes at another address, {}: set the registry's own address \
                 (distribution: `http.host` or `http.relativeurls`)",
                url.origin().ascii_serialization(),
                location.split('?').next().unwrap_or_default()
            )
        })
    }
}

/// The next piece of a blob. The last one comes only if the whole has its digest.
fn read(bytes: &mut impl Read, blob: &Blob<'_>, offset: u64) -> anyhow::Result<Vec<u8>> {
    let mut part = Vec::new();
    let mut whole = || -> io::Result<()> {
        bytes.by_ref().take(PIECE).read_to_end(&mut part)?;
        if offset + part.len() as u64 == blob.size {
            match bytes.read(&mut [0])? {
                0 => {}
                _ => return Err(io::Error::other("it is longer than it should be")),
            }
        } else if part.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    };
    whole().with_context(|| format!("reading {}", blob.label))?;
    Ok(part)
}

/// An answer that ends a session. With another session, the registry may take the blob: it
/// has forgotten the upload, or has got other bytes than were sent.
fn broken(url: &Url, answer: &Answer) -> Broken {
    let error = refusal::of(url, answer);
    match answer.status {
        400 | 404 | 409 | 416 => Broken::Session(error, None),
        _ => Broken::Final(error),
    }
}

#[cfg(test)]
mod tests;
