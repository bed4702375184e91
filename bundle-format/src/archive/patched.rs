//! The bytes of a bundle, with the chunks of a patch in their places.

use std::io;
use std::sync::Arc;

use super::storage::{self, Storage};
use crate::damage::chunk::{CHUNK, offset};
use crate::damage::patch::Patch;

/// A bundle's bytes. Any number of threads can read them, at any offset.
#[derive(Debug)]
pub(super) struct Patched {
    files: Storage,
    patch: Option<Arc<Patch>>,
}

impl Patched {
    pub(super) fn new(files: Storage, patch: Option<Arc<Patch>>) -> Self {
        Self { files, patch }
    }

    /// The files as they are.
    pub(super) fn files(&self) -> &Storage {
        &self.files
    }

    /// The same files with a patch.
    pub(super) fn by(self, patch: Option<Arc<Patch>>) -> Self {
        Self { patch, ..self }
    }

    /// The patch.
    pub(super) fn patch(&self) -> Option<&Patch> {
        self.patch.as_deref()
    }

    /// The size of the whole bundle in bytes, also if its end is lost.
    pub(super) fn length(&self) -> u64 {
        self.patch.as_ref().map_or(self.files.length(), |patch| patch.length())
    }

    /// Reads some bytes from `offset` on. Gives 0 at the end.
    pub(super) fn read_at(&self, buffer: &mut [u8], from: u64) -> io::Result<usize> {
        let Some(patch) = &self.patch else { return self.files.read_at(buffer, from) };
        let chunk = from / CHUNK as u64;
        let room = self.length().saturating_sub(from);
        let next = patch.next(chunk).filter(|next| offset(*next) < from.saturating_add(room));
        match next {
            Some(next) if next == chunk => {
                let bytes = patch.chunk(chunk)?;
                let skip = (from - offset(chunk)) as usize;
                let found = bytes.get(skip..).unwrap_or_default();
                let count = found.len().min(buffer.len());
                let count = usize::try_from(room).map_or(count, |room| count.min(room));
                if let (Some(to), Some(found)) = (buffer.get_mut(..count), found.get(..count)) {
                    to.copy_from_slice(found);
                }
                Ok(count)
            }
            next => {
                let until = next.map_or(room, |next| offset(next) - from);
                let end = usize::try_from(until).unwrap_or(usize::MAX).min(buffer.len());
                self.files.read_at(buffer.get_mut(..end).unwrap_or_default(), from)
            }
        }
    }

    /// Reads exactly `buffer.len()` bytes from `offset` on.
    pub(super) fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        storage::read_exact_at(buffer, offset, |buffer, offset| self.read_at(buffer, offset))
    }
}
