//! How far the copying of a file is, for people: bytes, and how many a second.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often it is told of.
const OFTEN: Duration = Duration::from_secs(5);

/// The copying of one file to one node.
pub(super) struct Progress<'a> {
    name: &'a str,
    size: u64,
    /// How many bytes were there before.
    from: u64,
    begun: Instant,
    told: Mutex<Instant>,
}

impl<'a> Progress<'a> {
    /// Begins behind the bytes that are there already.
    pub(super) fn new(name: &'a str, size: u64, from: u64) -> Self {
        let begun = Instant::now();
        Self { name, size, from, begun, told: Mutex::new(begun) }
    }

    /// Tells how far it is, unless it has just told.
    pub(super) fn at(&self, bytes: u64, tell: &dyn Fn(&str)) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.elapsed() < OFTEN {
            return;
        }
        *told = Instant::now();
        let rate = rate(bytes.saturating_sub(self.from), self.begun.elapsed());
        tell(&format!("copying {}: {} of {}, {rate}", self.name, size(bytes), size(self.size)));
    }

    /// Tells that all has come.
    pub(super) fn end(&self, tell: &dyn Fn(&str)) {
        let rate = rate(self.size - self.from, self.begun.elapsed());
        tell(&format!("{} is copied: {}, {rate}", self.name, size(self.size)));
    }
}

/// A size for people.
pub(super) fn size(bytes: u64) -> String {
    format!("{} MB", bytes.div_ceil(1_000_000))
}

fn rate(bytes: u64, took: Duration) -> String {
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
    match bytes / millis {
        few @ 0..10_000 => format!("{few} kB/s"),
        many => format!("{} MB/s", many / 1000),
    }
}
