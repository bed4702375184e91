//! A parity file, opened for reading. It may itself have bad sectors.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::chunk::{CHUNK, offset, sum};
use super::plan::{MAX_PROTECTED, PER_RECORD, Plan};
use super::table::{self, Head};
use crate::archive::storage;
use crate::input;

/// A parity file, whose checksums are in memory.
#[derive(Debug)]
pub struct Parity {
    path: PathBuf,
    file: File,
    head: Head,
    sums: Vec<u32>,
    /// Which records of the table could be read, from either place.
    known: Vec<bool>,
}

/// The most records of a table: those of the largest bundle with the most recovery chunks.
const MAX_RECORDS: u64 = MAX_PROTECTED / CHUNK as u64 * 3 / 2 / PER_RECORD as u64 + 1;

/// Whether a file that begins so is a parity file.
pub fn begins(head: &[u8]) -> bool {
    table::begins(head)
}

/// The path of the parity file of the bundle at `bundle`, which may be any of its parts.
pub fn path_of(bundle: &Path) -> PathBuf {
    storage::beside(bundle, ".parity")
}

/// The path where the parity file of the bundle at `bundle` is to be read: beside it, or beside the
/// file that a link leads to.
pub fn found(bundle: &Path) -> PathBuf {
    storage::found_beside(bundle, ".parity")
}

impl Parity {
    /// Opens the parity file at `path`. `None` if no record of it is good: then it is
    /// something else, or of no use.
    pub fn open(path: &Path) -> io::Result<Option<Self>> {
        let file = input::open(path)?;
        let size = file.metadata()?.len();
        let Some(head) = head(&file, size) else { return Ok(None) };
        let records = head.plan.records();
        // So what it claims takes no more memory than it has bytes.
        if size < offset(records) {
            return Ok(None);
        }
        let mut this =
            Self { path: path.to_owned(), file, head, sums: Vec::new(), known: Vec::new() };
        for number in 0..records {
            let sums = this.record(number);
            this.known.push(sums.is_some());
            this.sums.extend(sums.unwrap_or_else(|| vec![0; PER_RECORD]));
        }
        Ok(Some(this))
    }

    fn record(&self, number: u64) -> Option<Vec<u32>> {
        self.head.plan.record_at(number).into_iter().find_map(|at| {
            let bytes = chunk(&self.file, at)?;
            let (head, own, sums) = table::parse(&bytes)?;
            (head == self.head && u64::from(own) == number).then(|| sums.collect())
        })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Which bundle it says that it is for.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// How the bundle's chunks are grouped.
    pub fn plan(&self) -> &Plan {
        &self.head.plan
    }

    /// Whether these are the bytes of a chunk, with zeros up to its end. `None` if nobody
    /// knows, because the checksum is lost.
    pub fn is_good(&self, chunk: u64, bytes: &[u8]) -> Option<bool> {
        self.sum(chunk).map(|own| own == sum(bytes))
    }

    fn sum(&self, number: u64) -> Option<u32> {
        let number = usize::try_from(number).ok()?;
        let is_known = *self.known.get(number / PER_RECORD)?;
        self.sums.get(number).copied().filter(|_| is_known)
    }

    /// A recovery chunk of a group, if it is good.
    pub(super) fn recovery(&self, group: u64, number: u16) -> Option<Vec<u8>> {
        let bytes = chunk(&self.file, self.plan().recovery_at(group, number))?;
        let own = self.sum(self.plan().recovery_sum(group, number))?;
        (own == sum(&bytes)).then_some(bytes)
    }
}

/// What the first good record says: of the first table, or of the second if that is lost.
fn head(file: &File, size: u64) -> Option<Head> {
    let records = (size / CHUNK as u64).min(MAX_RECORDS);
    let first = (0..records).map(offset);
    let second = (1..=records).filter_map(|from_end| size.checked_sub(offset(from_end)));
    first.chain(second).find_map(|at| Some(table::parse(&chunk(file, at)?)?.0))
}

fn chunk(file: &File, at: u64) -> Option<Vec<u8>> {
    let mut bytes = vec![0; CHUNK];
    file.read_exact_at(&mut bytes, at).ok().map(|()| bytes)
}
