//! A blob of a bundle, hashed while it is read.

use std::io::{self, Read};

use super::repaired::Repaired;
use crate::digest::{Checked, Digest};

/// Reads a blob, and checks it on the way.
pub(super) struct BlobReader<'a>(Checked<Place<'a>>);

/// Reads the archive from an offset on.
struct Place<'a> {
    storage: &'a Repaired,
    offset: u64,
}

impl<'a> BlobReader<'a> {
    pub(super) fn new(storage: &'a Repaired, digest: Digest, offset: u64, size: u64) -> Self {
        Self(Checked::new(Place { storage, offset }, digest, size))
    }

    /// Reads all of it, which checks its digest. `progress` gets the number of bytes of each piece.
    pub(super) fn check(mut self, progress: impl Fn(u64)) -> io::Result<()> {
        // Most blobs may be small, and there may be very many.
        let most = usize::try_from(self.0.left()).unwrap_or(usize::MAX).min(256 << 10);
        let mut buffer = vec![0; most];
        loop {
            match self.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => progress(count as u64),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Read for BlobReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Read for Place<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.storage.read_at(buffer, self.offset)?;
        self.offset += count as u64;
        Ok(count)
    }
}
