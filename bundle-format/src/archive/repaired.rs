//! The bytes of a bundle, repaired by what lies beside it.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::beside::Beside;
use super::kept::Kept;
use super::patched::Patched;
use super::storage::{self, Storage};
use crate::damage::chunk::{CHUNK, ChunkSet, chunks, offset};
use crate::damage::parity::Parity;
use crate::damage::repair::Run;

/// How many chunks are read at once.
const AT_ONCE: u64 = 64;

/// A bundle's bytes. Any number of threads can read them, at any offset. All that its
/// files hold and nothing repairs is given as it is: its readers check every byte anyhow.
#[derive(Debug)]
pub(super) struct Repaired {
    storage: Patched,
    cure: Option<Arc<Cure>>,
}

/// What repairs a bundle.
#[derive(Debug)]
pub(super) struct Cure {
    parity: Arc<Parity>,
    /// The chunks that cannot be read. They are not tried again, because a stick takes seconds
    /// to fail.
    unreadable: Mutex<ChunkSet>,
    work: Mutex<Work>,
}

/// What was repaired so far.
#[derive(Debug, Default)]
struct Work {
    kept: Kept,
    repaired: ChunkSet,
    lost: ChunkSet,
    /// The parity file is of another bundle.
    is_strange: bool,
}

/// Whether a chunk is right.
enum Seen {
    Good,
    Wrong,
    Unread(io::Error),
}

/// What was repaired while a bundle was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repairs {
    /// How many chunks of 4 KiB were damaged, and were repaired.
    pub chunks: u64,
    /// How many were damaged, and stay so: their groups have too many.
    pub lost: u64,
    /// The file that repaired them.
    pub by: String,
}

/// `3 chunks of 4 KiB were damaged, and demo.tar.parity repaired them`.
impl fmt::Display for Repairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { chunks, lost, by } = self;
        let them = |count: u64| if count == 1 { "it" } else { "them" };
        let damaged = |count: u64| match count {
            1 => "1 chunk of 4 KiB was damaged".to_owned(),
            _ => format!("{count} chunks of 4 KiB were damaged"),
        };
        match (chunks, lost) {
            (_, 0) => write!(f, "{}, and {by} repaired {}", damaged(*chunks), them(*chunks)),
            (0, _) => write!(f, "{}, and {by} cannot repair {}", damaged(*lost), them(*lost)),
            _ => {
                let all = damaged(chunks + lost);
                write!(f, "{all}; {by} repaired {chunks} of them, and cannot repair {lost}")
            }
        }
    }
}

impl Repaired {
    /// The bytes as the files hold them.
    pub(super) fn plain(storage: Storage) -> Self {
        Self { storage: Patched::new(storage, None), cure: None }
    }

    /// The same, repaired by what lies beside it.
    pub(super) fn by(self, beside: Beside) -> Self {
        let cure = |parity| {
            Arc::new(Cure { parity, unreadable: Mutex::default(), work: Mutex::default() })
        };
        Self { storage: self.storage.by(beside.patch), cure: beside.parity.map(cure) }
    }

    /// What repairs it. A caller keeps it to ask later whether everything could be repaired.
    pub(super) fn cure(&self) -> Option<Arc<Cure>> {
        self.cure.clone()
    }

    /// The files as they are.
    pub(super) fn files(&self) -> &Storage {
        self.storage.files()
    }

    /// The size of the whole bundle in bytes, also if its end is lost.
    pub(super) fn length(&self) -> u64 {
        match &self.cure {
            Some(cure) => cure.parity.plan().length(),
            None => self.storage.length(),
        }
    }

    /// What was repaired so far, and what cannot be. Empty if nothing was damaged.
    pub(super) fn repairs(&self) -> Vec<Repairs> {
        let of_patch = self.storage.patch().map(|patch| Repairs {
            chunks: patch.count(),
            lost: 0,
            by: patch.path().display().to_string(),
        });
        let of_parity = self.cure.as_ref().map(|cure| {
            let work = lock(&cure.work);
            let (chunks, lost) = (work.repaired.len(), work.lost.len());
            Repairs { chunks, lost, by: cure.parity.path().display().to_string() }
        });
        let all = of_patch.into_iter().chain(of_parity);
        all.filter(|repairs| repairs.chunks + repairs.lost > 0).collect()
    }

    /// The chunks that its parity file finds wrong and cannot repair, after reading all of
    /// them. `None` without a parity file, or if that is of another bundle.
    pub(super) fn lost(&self) -> Option<ChunkSet> {
        let cure = self.cure.as_ref()?;
        let mut buffer = vec![0; AT_ONCE as usize * CHUNK];
        let mut chunk = 0;
        while chunk < chunks(self.length()) {
            // An error is of the first chunk.
            let count = self.read_at(&mut buffer, offset(chunk)).unwrap_or(CHUNK);
            chunk += chunks(count as u64).max(1);
        }
        let mut work = lock(&cure.work);
        (!work.is_strange).then(|| std::mem::take(&mut work.lost))
    }

    /// Reads some bytes from `offset` on. Gives 0 at the end.
    pub(super) fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match &self.cure {
            Some(cure) => self.read_checked(cure, buffer, offset),
            None => self.storage.read_at(buffer, offset),
        }
    }

    /// Reads exactly `buffer.len()` bytes from `offset` on.
    pub(super) fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        storage::read_exact_at(buffer, offset, |buffer, offset| self.read_at(buffer, offset))
    }

    fn read_checked(&self, cure: &Cure, buffer: &mut [u8], from: u64) -> io::Result<usize> {
        let end = from.saturating_add(buffer.len() as u64).min(self.length());
        if from >= end {
            return Ok(0);
        }
        let first = from / CHUNK as u64;
        let count = (chunks(end) - first).min(AT_ONCE);
        let mut bytes = vec![0; count as usize * CHUNK];
        let mut good = 0;
        let seen = self.look(cure, first, &mut bytes);
        for ((number, seen), bytes) in (first..).zip(seen).zip(bytes.chunks_mut(CHUNK)) {
            match self.repaired(cure, &seen, number) {
                Some(repaired) => bytes.copy_from_slice(&repaired),
                None => match seen {
                    Seen::Unread(error) if good == 0 => return Err(error),
                    Seen::Unread(_) => break,
                    Seen::Good | Seen::Wrong => {}
                },
            }
            good += CHUNK;
        }
        let skip = (from - offset(first)) as usize;
        let there = good.min((end - offset(first)) as usize);
        let found = bytes.get(skip..there).unwrap_or_default();
        let found = found.get(..found.len().min(buffer.len())).unwrap_or_default();
        if let Some(window) = buffer.get_mut(..found.len()) {
            window.copy_from_slice(found);
        }
        Ok(found.len())
    }

    /// Fills `bytes` with the chunks from `first` on, as the files hold them.
    fn look(&self, cure: &Cure, first: u64, bytes: &mut [u8]) -> Vec<Seen> {
        let numbers = || first..first + (bytes.len() / CHUNK) as u64;
        let is_clean = {
            let unreadable = lock(&cure.unreadable);
            numbers().all(|number| !unreadable.has(number))
        };
        let at_once = is_clean && self.fill(bytes, offset(first)).is_ok();
        let see = |(number, bytes): (u64, &mut [u8])| {
            if !at_once {
                if lock(&cure.unreadable).has(number) {
                    return Seen::Unread(io::Error::other("the stick did not give it before"));
                }
                if let Err(error) = self.fill(bytes, offset(number)) {
                    lock(&cure.unreadable).add(number);
                    return Seen::Unread(error);
                }
            }
            match cure.parity.is_good(number, bytes) {
                Some(false) => Seen::Wrong,
                Some(true) | None => Seen::Good,
            }
        };
        (first..).zip(bytes.chunks_mut(CHUNK)).map(see).collect()
    }

    /// Fills `bytes` from `from` on, with zeros behind the bundle's end.
    fn fill(&self, bytes: &mut [u8], from: u64) -> io::Result<()> {
        let there = self.length().saturating_sub(from).min(bytes.len() as u64) as usize;
        let (there, behind) = bytes.split_at_mut_checked(there).unwrap_or_default();
        behind.fill(0);
        self.storage.read_exact_at(there, from)
    }

    /// The right bytes of a chunk that was seen, if it is not good as it is.
    fn repaired(&self, cure: &Cure, seen: &Seen, chunk: u64) -> Option<Vec<u8>> {
        if matches!(seen, Seen::Good) {
            return None;
        }
        let mut work = lock(&cure.work);
        if work.is_strange || work.lost.has(chunk) {
            return None;
        }
        if let Some(bytes) = work.kept.get(chunk) {
            return Some(bytes);
        }
        let run = Run::around(&cure.parity, chunk, |first, bytes| {
            let seen = self.look(cure, first, bytes);
            seen.iter().map(|seen| !matches!(seen, Seen::Good)).collect()
        });
        if run.is_hopeless() {
            work.is_strange = true;
            return None;
        }
        let made = run.repair();
        made.lost.into_iter().for_each(|chunk| work.lost.add(chunk));
        let mut own = None;
        for (number, bytes) in made.repaired {
            work.repaired.add(number);
            if number == chunk {
                own = Some(bytes.clone());
            }
            work.kept.put(number, bytes);
        }
        own
    }
}

impl Cure {
    /// Its parity file, if that could not repair all that was read.
    pub(super) fn failed(&self) -> Option<&Path> {
        (!lock(&self.work).lost.is_empty()).then(|| self.parity.path())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
