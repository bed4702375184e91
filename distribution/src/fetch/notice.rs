//! Messages to the operator that are no errors.

use std::collections::HashSet;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bundle_format::text::{printable, stderr};

/// How long this program waits before it says so.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// Where these messages go. Clones know what each other has said, so that it is said
/// once.
#[derive(Clone, Debug)]
pub struct Notices {
    shown: bool,
    said: Arc<Mutex<HashSet<String>>>,
}

impl Notices {
    /// Sends them to standard error. If `quiet`, only warnings: what fails in the end is
    /// reported as an error in any case.
    pub fn new(quiet: bool) -> Self {
        Self { shown: !quiet, said: Arc::default() }
    }

    /// Says that this program waits, with `words` about `subject`, unless something was
    /// said about it before.
    pub(super) fn once(&self, subject: &str, words: &str) {
        if self.is_new(subject) && self.shown {
            say(&format!("waiting: {subject}: {words}"));
        }
    }

    /// Warns of something, even if other messages are not wanted.
    pub fn warn(&self, words: &str) {
        if self.is_new(words) {
            say(&format!("warning: {words}"));
        }
    }

    fn is_new(&self, subject: &str) -> bool {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.insert(subject.to_owned())
    }

    #[cfg(test)]
    pub(super) fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().iter().cloned().collect()
    }
}

fn say(text: &str) {
    // If standard error is closed, nobody reads it.
    drop(writeln!(stderr(), "{}", printable(text)));
}
