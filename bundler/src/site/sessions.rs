//! Uploads that were begun. A registry keeps what it got of one for some days, and a push
//! that was killed goes on there.

use std::fs;
use std::path::PathBuf;

use bundle_format::{Digest, input};
use url::Url;

use crate::fetch::cache::Cache;

/// The longest note. A registry's state of an upload has some hundred bytes.
const MAX_NOTE: u64 = 64 << 10;

/// The notes of uploads, in the cache.
#[derive(Clone)]
pub(super) struct Sessions(Cache);

impl Sessions {
    pub(super) fn new(cache: &Cache) -> Self {
        Self(cache.clone())
    }

    /// Where the upload of the blob at `url` goes on.
    pub(super) fn place(&self, url: &Url) -> Option<Url> {
        let note = input::file_text(&self.note(url), MAX_NOTE).ok()?;
        let place: Url = note.trim().parse().ok()?;
        (place.origin() == url.origin()).then_some(place)
    }

    /// Notes it. If that fails, the blob is sent from its beginning the next time.
    pub(super) fn keep(&self, url: &Url, place: &Url) {
        drop(self.0.note(&self.note(url), place.as_str().as_bytes()));
    }

    pub(super) fn forget(&self, url: &Url) {
        drop(fs::remove_file(self.note(url)));
    }

    fn note(&self, url: &Url) -> PathBuf {
        self.0.folder().join("uploads").join(Digest::of(url.as_str().as_bytes()).hex())
    }
}
