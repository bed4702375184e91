//! A blob of a bundle, hashed while it is read.

use std::io::{self, Read};

use super::storage::Storage;
use crate::digest::{Digest, Hasher};

/// Reads a blob. It gives the last bytes only if the whole blob has the right digest.
/// Who reads to the end without an error has read the right bytes. Nobody may use any
/// of the bytes before that.
pub struct BlobReader<'a> {
    storage: &'a Storage,
    digest: Digest,
    hasher: Option<Hasher>,
    offset: u64,
    left: u64,
}

impl<'a> BlobReader<'a> {
    pub(super) fn new(storage: &'a Storage, digest: Digest, offset: u64, size: u64) -> Self {
        Self { storage, digest, hasher: Some(Hasher::new()), offset, left: size }
    }
}

impl Read for BlobReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let window = buffer.get_mut(..wanted).unwrap_or_default();
        let count = self.storage.read_at(window, self.offset)?;
        if count == 0 && self.left > 0 && wanted > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.offset += count as u64;
        self.left -= count as u64;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(window.get(..count).unwrap_or_default());
        }
        if self.left == 0
            && let Some(hasher) = self.hasher.take()
        {
            let found = hasher.finish();
            if found != self.digest {
                self.digest = found;
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("it has the digest {found}"),
                ));
            }
        }
        Ok(count)
    }
}
