//! Repaired chunks, until they are read. A hole is repaired by groups that reach all over the
//! bundle, so most of what is made is needed much later.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use crate::damage::chunk::{CHUNK, offset};

/// How many chunks are in memory: 16 MiB.
const IN_MEMORY: usize = 4096;

/// The folder of the file for the others. It is on a disk, also where `/tmp` is memory.
const FOLDER: &str = "/var/tmp";

/// Chunks by their numbers.
#[derive(Debug, Default)]
pub(super) struct Kept {
    memory: BTreeMap<u64, Vec<u8>>,
    /// A file without a name, and the place of each chunk in it. None is made before it is
    /// needed.
    file: Option<File>,
    places: BTreeMap<u64, u64>,
}

impl Kept {
    /// The chunk, if it is here.
    pub(super) fn get(&self, chunk: u64) -> Option<Vec<u8>> {
        if let Some(bytes) = self.memory.get(&chunk) {
            return Some(bytes.clone());
        }
        let mut bytes = vec![0; CHUNK];
        let place = self.places.get(&chunk)?;
        self.file.as_ref()?.read_exact_at(&mut bytes, *place).ok()?;
        Some(bytes)
    }

    /// Keeps a chunk. Where the disk takes no more, another one goes, and is made again when
    /// it is read.
    pub(super) fn put(&mut self, chunk: u64, bytes: Vec<u8>) {
        if self.places.contains_key(&chunk) {
            return;
        }
        if self.memory.len() >= IN_MEMORY && self.write(chunk, &bytes).is_ok() {
            return;
        }
        while self.memory.len() >= IN_MEMORY {
            self.memory.pop_first();
        }
        self.memory.insert(chunk, bytes);
    }

    fn write(&mut self, chunk: u64, bytes: &[u8]) -> io::Result<()> {
        let file = match self.file.take() {
            Some(file) => file,
            None => tempfile::tempfile_in(FOLDER)?,
        };
        let place = offset(self.places.len() as u64);
        let written = file.write_all_at(bytes, place);
        self.file = Some(file);
        written?;
        self.places.insert(chunk, place);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_memory_does_not_hold_is_on_the_disk() {
        let mut kept = Kept::default();
        let count = IN_MEMORY as u64 + 100;
        let bytes = |chunk: u64| vec![(chunk % 251) as u8; CHUNK];
        (0..count).for_each(|chunk| kept.put(chunk, bytes(chunk)));
        kept.put(count - 1, bytes(count - 1));
        assert_eq!((kept.memory.len(), kept.places.len()), (IN_MEMORY, 100));
        assert!((0..count).all(|chunk| kept.get(chunk) == Some(bytes(chunk))));
        assert!(kept.get(count).is_none());
    }
}
