//! Messages to the operator while this program waits for something.

use std::collections::HashSet;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bundle_format::text::{printable, stderr};

/// How long this program waits before it says so.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// Where these messages go. Clones know what each other has said.
#[derive(Clone, Debug)]
pub struct Notices {
    shown: bool,
    said: Arc<Mutex<HashSet<String>>>,
}

impl Notices {
    /// Sends them to standard error, or nowhere if `quiet`: what fails in the end
    /// is reported as an error in any case.
    pub fn new(quiet: bool) -> Self {
        Self { shown: !quiet, said: Arc::default() }
    }

    /// Says `words` about `subject`, unless something was said about it before.
    pub(super) fn once(&self, subject: &str, words: &str) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.insert(subject.to_owned()) && self.shown {
            // If standard error is closed, nobody reads it.
            drop(writeln!(stderr(), "{}", printable(&format!("waiting: {subject}: {words}"))));
        }
    }

    #[cfg(test)]
    pub(super) fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().iter().cloned().collect()
    }
}
