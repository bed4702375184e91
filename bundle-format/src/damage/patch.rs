//! A patch: the chunks that a damaged bundle has lost, from a good copy of it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::chunk::{CHUNK, offset, sum};
use super::map::Map;
use super::plan::MAX_PROTECTED;
use crate::archive::storage;
use crate::digest::Digest;
use crate::input;

/// What a record begins with; the last digit is the version of the format.
const MAGIC: &[u8; 8] = b"KFPATCH1";

/// The size of a record: magic, length of the bundle, digest of its index in hex digits,
/// number of the chunk, the chunk, and the checksum of all this. Numbers are little-endian.
const RECORD: usize = 8 + 8 + 64 + 8 + CHUNK + 4;

/// The most records of a patch, so that the list of them takes little memory: those of 4 GiB.
const MAX_RECORDS: u64 = 1 << 20;

/// A patch, whose chunks are still in its file.
#[derive(Debug)]
pub struct Patch {
    path: PathBuf,
    file: File,
    bundle: Digest,
    length: u64,
    /// Where each chunk's record is.
    records: BTreeMap<u64, u64>,
}

/// Whether a file that begins so is a patch.
pub fn begins(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

/// The path of the patch of the bundle at `bundle`, which may be any of its parts.
pub fn path_of(bundle: &Path) -> PathBuf {
    storage::beside(bundle, ".patch")
}

/// The path where the patch of the bundle at `bundle` is to be read: beside it, or beside the
/// file that a link leads to.
pub fn found(bundle: &Path) -> PathBuf {
    storage::found_beside(bundle, ".patch")
}

/// Writes the patch of what `map` has. `read` gives bytes of the good bundle, whose index has
/// the digest `bundle` and that has `length` bytes.
pub fn write(
    out: &mut impl Write,
    map: &Map,
    (bundle, length): (Digest, u64),
    read: impl Fn(&mut [u8], u64) -> io::Result<()>,
) -> io::Result<()> {
    for chunk in map.lost() {
        let there = length.saturating_sub(offset(chunk)).min(CHUNK as u64) as usize;
        let mut bytes = vec![0; CHUNK];
        read(bytes.get_mut(..there).unwrap_or_default(), offset(chunk))?;
        out.write_all(&record((bundle, length), chunk, &bytes))?;
    }
    Ok(())
}

fn record((bundle, length): (Digest, u64), chunk: u64, bytes: &[u8]) -> Vec<u8> {
    let mut record = Vec::with_capacity(RECORD);
    record.extend(MAGIC);
    record.extend(length.to_le_bytes());
    record.extend(bundle.hex().bytes());
    record.extend(chunk.to_le_bytes());
    record.extend(bytes);
    record.extend(sum(&record).to_le_bytes());
    record
}

/// What a record says, and its chunk. `None` if it is damaged, or if it is something else.
fn parse(record: &[u8]) -> Option<((Digest, u64), u64, &[u8])> {
    let (body, own) = record.split_last_chunk::<4>()?;
    if record.len() != RECORD || sum(body) != u32::from_le_bytes(*own) {
        return None;
    }
    let (magic, rest) = body.split_first_chunk::<8>()?;
    let (length, rest) = rest.split_first_chunk::<8>()?;
    let (bundle, rest) = rest.split_first_chunk::<64>()?;
    let (chunk, bytes) = rest.split_first_chunk::<8>()?;
    if magic != MAGIC {
        return None;
    }
    let bundle = Digest::from_hex(std::str::from_utf8(bundle).ok()?).ok()?;
    Some(((bundle, u64::from_le_bytes(*length)), u64::from_le_bytes(*chunk), bytes))
}

impl Patch {
    /// Opens the patch at `path`. `None` if no record of it is good. Records that are damaged,
    /// or of another bundle than the first good one, do not count.
    pub fn open(path: &Path) -> io::Result<Option<Self>> {
        let file = input::open(path)?;
        let count = (file.metadata()?.len() / RECORD as u64).min(MAX_RECORDS);
        let (mut head, mut records) = (None, BTreeMap::new());
        for at in (0..count).map(|number| number * RECORD as u64) {
            let Ok(record) = read(&file, at) else { continue };
            let Some((own, chunk, _)) = parse(&record) else { continue };
            if *head.get_or_insert(own) == own && offset(chunk) < own.1 {
                records.insert(chunk, at);
            }
        }
        let Some((bundle, length)) = head.filter(|(_, length)| *length <= MAX_PROTECTED) else {
            return Ok(None);
        };
        Ok(Some(Self { path: path.to_owned(), file, bundle, length, records }))
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The digest of the index of the bundle that it is for.
    pub fn bundle(&self) -> Digest {
        self.bundle
    }

    /// The size of the bundle that it is for, in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// How many chunks it has.
    pub fn count(&self) -> u64 {
        self.records.len() as u64
    }

    /// The first chunk that it has from `chunk` on.
    pub fn next(&self, chunk: u64) -> Option<u64> {
        self.records.range(chunk..).next().map(|(chunk, _)| *chunk)
    }

    /// A chunk, with zeros behind the bundle's end.
    pub fn chunk(&self, chunk: u64) -> io::Result<Vec<u8>> {
        let at = self.records.get(&chunk).ok_or(io::ErrorKind::NotFound)?;
        let record = read(&self.file, *at)?;
        let (_, _, bytes) = parse(&record).ok_or(io::ErrorKind::InvalidData)?;
        Ok(bytes.to_vec())
    }
}

fn read(file: &File, at: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; RECORD];
    file.read_exact_at(&mut bytes, at).map(|()| bytes)
}

#[cfg(test)]
mod tests {
    use super::super::chunk::ChunkSet;
    use super::*;

    #[test]
    fn each_record_of_a_patch_is_good_alone() {
        let good: Vec<u8> = (0..4 * CHUNK + 5).map(|at| (at / 7) as u8).collect();
        let (bundle, length) = (Digest::of(b"index"), good.len() as u64);
        let mut lost = ChunkSet::default();
        [0, 2, 4].into_iter().for_each(|chunk| lost.add(chunk));
        let mut written = Vec::new();
        let from = |buffer: &mut [u8], at: u64| {
            let at = at as usize;
            buffer.copy_from_slice(&good[at..at + buffer.len()]);
            Ok(())
        };
        write(&mut written, &Map::new(bundle, length, &lost), (bundle, length), from).unwrap();
        assert_eq!(written.len(), 3 * RECORD);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.patch");
        let open = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            Patch::open(&path).unwrap()
        };
        let patch = open(&written).unwrap();
        assert_eq!((patch.bundle(), patch.length(), patch.count()), (bundle, length, 3));
        assert_eq!([0, 1, 3, 5].map(|chunk| patch.next(chunk)), [Some(0), Some(2), Some(4), None]);
        assert_eq!(patch.chunk(2).unwrap(), good[2 * CHUNK..3 * CHUNK]);
        assert_eq!(patch.chunk(4).unwrap()[..6], [&good[4 * CHUNK..], &[0]].concat());
        for place in (0..RECORD).step_by(97) {
            let mut bad = written.clone();
            bad[place] ^= 1;
            assert_eq!(open(&bad).unwrap().count(), 2, "{place}");
        }
        assert!(open(&[]).is_none() && open(&written[1..]).is_none());
    }
}
