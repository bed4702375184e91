//! The entries of the archive. Their headers must be exactly those that
//! [`super::writer`] writes.

use std::collections::HashMap;
use std::io;

use super::absent;
use super::error::BundleError;
use super::repaired::Repaired;
use super::{BLOCK, header, padding, storage};
use crate::bounds::MAX_ENTRIES;
use crate::digest::Digest;
use crate::recognise;
use crate::text::printable;

/// An entry that is not a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Own {
    OciLayout,
    Index,
    Absent,
}

/// What an entry is, as its name says.
enum Name {
    Own(Own),
    Blob(Digest),
}

impl Name {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "oci-layout" => Some(Self::Own(Own::OciLayout)),
            "index.json" => Some(Self::Own(Own::Index)),
            absent::NAME => Some(Self::Own(Own::Absent)),
            _ => {
                let hex = text.strip_prefix("blobs/sha256/")?;
                Digest::from_hex(hex).ok().map(Self::Blob)
            }
        }
    }
}

/// The places of all entries. Each blob is here once and without its name's text, because
/// there may be many.
#[derive(Default)]
pub(super) struct Entries {
    pub(super) own: HashMap<Own, Place>,
    pub(super) blobs: HashMap<Digest, Place>,
}

impl Entries {
    fn count(&self) -> usize {
        self.own.len() + self.blobs.len()
    }

    /// Adds an entry. False if there is one of this name.
    fn add(&mut self, name: Name, place: Place) -> bool {
        match name {
            Name::Own(own) => self.own.insert(own, place).is_none(),
            Name::Blob(digest) => self.blobs.insert(digest, place).is_none(),
        }
    }
}

/// Where an entry's bytes are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) size: u64,
}

/// How many bytes are read at once, because the headers of many small blobs are close to each
/// other. Where a blob is large, only its header is used of them.
const AT_ONCE: usize = 16 << 10;

/// The bytes at a place, and those behind it.
struct Ahead<'a> {
    storage: &'a Repaired,
    start: u64,
    bytes: Vec<u8>,
}

impl Ahead<'_> {
    fn read_exact_at(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        if self.give(buffer, offset).is_none() {
            self.bytes.resize(AT_ONCE, 0);
            // What cannot be read so far ahead may be right where it is needed.
            let count = self.storage.read_at(&mut self.bytes, offset).unwrap_or(0);
            self.bytes.truncate(count);
            self.start = offset;
            if self.give(buffer, offset).is_none() {
                return self.storage.read_exact_at(buffer, offset);
            }
        }
        Ok(())
    }

    fn give(&self, buffer: &mut [u8], offset: u64) -> Option<()> {
        let from = usize::try_from(offset.checked_sub(self.start)?).ok()?;
        buffer.copy_from_slice(self.bytes.get(from..from.checked_add(buffer.len())?)?);
        Some(())
    }
}

/// Reads all headers, up to the end mark.
pub(super) fn read(storage: &Repaired) -> Result<Entries, BundleError> {
    let mut entries = Entries::default();
    let mut ahead = Ahead { storage, start: 0, bytes: Vec::new() };
    let mut offset = 0;
    loop {
        let Some(block) = block(&mut ahead, offset)? else {
            end(storage, offset)?;
            return Ok(entries);
        };
        let damaged = |reason: String| Err(damaged(storage, offset, reason));
        let Some((name, size)) = written(&block) else {
            if offset == 0 {
                return Err(not_a_bundle(storage, &what_it_is(&block)));
            }
            return damaged("a header is altered".to_owned());
        };
        let Some(known) = Name::parse(&name) else {
            return damaged(format!("an entry is named `{}`", printable(&name)));
        };
        let place = Place { offset: offset + BLOCK, size };
        let next = size
            .checked_add(padding(size))
            .and_then(|size| size.checked_add(place.offset))
            .filter(|next| *next <= storage.length());
        let Some(next) = next else { return Err(cut_short(storage, &name)) };
        let mut zeros = vec![0; usize::try_from(padding(size)).unwrap_or(0)];
        let behind = |reason: String| Err(self::damaged(storage, place.offset + size, reason));
        if let Err(error) = ahead.read_exact_at(&mut zeros, place.offset + size) {
            return behind(error.to_string());
        }
        if zeros.iter().any(|byte| *byte != 0) {
            return behind(format!("the bytes behind `{name}` are altered"));
        }
        if entries.count() == MAX_ENTRIES {
            return damaged(format!("it has more than {MAX_ENTRIES} entries, as no bundle has"));
        }
        if !entries.add(known, place) {
            return damaged(format!("`{name}` is in it a second time"));
        }
        offset = next;
    }
}

/// Whether the files have another sound header before this place than the repaired bytes.
pub(super) fn has_other_header(storage: &Repaired, place: Place) -> bool {
    let Some(offset) = place.offset.checked_sub(BLOCK) else { return false };
    let (mut files, mut repaired) = ([0; BLOCK as usize], [0; BLOCK as usize]);
    let as_it_is = |buffer: &mut [u8], offset| storage.files().read_at(buffer, offset);
    storage::read_exact_at(&mut files, offset, as_it_is).is_ok()
        && storage.read_exact_at(&mut repaired, offset).is_ok()
        && files != repaired
        && written(&files).is_some()
}

/// The block at `offset`. `None` if the end mark begins there.
fn block(ahead: &mut Ahead<'_>, offset: u64) -> Result<Option<[u8; BLOCK as usize]>, BundleError> {
    let (storage, mut block) = (ahead.storage, [0; BLOCK as usize]);
    match ahead.read_exact_at(&mut block, offset) {
        Ok(()) if block == [0; BLOCK as usize] && offset == 0 => {
            Err(not_a_bundle(storage, "it begins with zeros"))
        }
        Ok(()) if block == [0; BLOCK as usize] => Ok(None),
        Ok(()) => Ok(Some(block)),
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
            Err(damaged(storage, offset, error.to_string()))
        }
        Err(_) if offset == 0 => Err(not_a_bundle(storage, &what_it_is(&all(storage)))),
        Err(_) if offset == storage.length() => Err(cut_short(storage, "its end mark")),
        Err(_) => Err(cut_short(storage, "a header")),
    }
}

/// Checks that the end mark is complete, and that nothing follows it.
fn end(storage: &Repaired, offset: u64) -> Result<(), BundleError> {
    let mut block = [0; BLOCK as usize];
    if storage.read_exact_at(&mut block, offset + BLOCK).is_err() {
        return Err(cut_short(storage, "its end mark"));
    }
    if block != [0; BLOCK as usize] {
        return Err(damaged(storage, offset, "its end mark is altered".to_owned()));
    }
    if storage.length() != offset + 2 * BLOCK {
        let reason = "there are more bytes behind its end mark".to_owned();
        return Err(damaged(storage, offset, reason));
    }
    Ok(())
}

/// The name and the size in a header, if the header is one of ours.
fn written(block: &[u8; BLOCK as usize]) -> Option<(String, u64)> {
    let found = tar::Header::from_byte_slice(block);
    let name = String::from_utf8_lossy(&found.path_bytes()).into_owned();
    let size = found.entry_size().ok()?;
    let expected = header(&name, size).ok()?;
    (expected.as_bytes() == block).then_some((name, size))
}

/// The error for a damaged place at `offset`, with the part that holds it.
pub(super) fn damaged(storage: &Repaired, offset: u64, reason: String) -> BundleError {
    let (path, offset) = storage.files().place(offset);
    BundleError::Damaged { path: path.to_owned(), offset, reason }
}

fn cut_short(storage: &Repaired, entry: &str) -> BundleError {
    let (path, length) = storage.files().place(storage.length());
    BundleError::CutShort { path: path.to_owned(), entry: entry.to_owned(), length }
}

fn not_a_bundle(storage: &Repaired, reason: &str) -> BundleError {
    let (path, _) = storage.files().place(0);
    BundleError::NotABundle { path: path.to_owned(), reason: reason.to_owned() }
}

/// All bytes of a file that is shorter than a block.
fn all(storage: &Repaired) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(storage.length()).unwrap_or(0).min(BLOCK as usize)];
    match storage.read_exact_at(&mut bytes, 0) {
        Ok(()) => bytes,
        Err(_) => Vec::new(),
    }
}

fn what_it_is(start: &[u8]) -> String {
    let known = [
        (&[0x1f, 0x8b][..], "it is compressed with gzip; a bundle is not: unpack it first"),
        (&[0x28, 0xb5, 0x2f, 0xfd], "it is compressed with zstd; a bundle is not: unpack it first"),
        (
            &[0xfd, b'7', b'z', b'X', b'Z'],
            "it is compressed with xz; a bundle is not: unpack it first",
        ),
        (&[0xed, 0xab, 0xee, 0xdb], "it is an RPM"),
        (b"<", "it is a web page or another XML document"),
    ];
    let found = known.iter().find(|(magic, _)| start.starts_with(magic));
    match found {
        Some((_, words)) => (*words).to_owned(),
        None => format!("it is {}", recognise::what_begins(start)),
    }
}
