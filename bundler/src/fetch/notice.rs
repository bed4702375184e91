//! Words to the operator while something is waited for.

use std::collections::HashSet;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bundle_format::text::{printable, stderr};

/// How long nothing is said of waiting.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// Where such words go. Clones share what was said already.
#[derive(Clone, Debug)]
pub struct Notices {
    shown: bool,
    said: Arc<Mutex<HashSet<String>>>,
}

impl Notices {
    /// To standard error, or nowhere for who wants quiet: what fails in the end
    /// is an error all the same.
    pub fn new(quiet: bool) -> Self {
        Self { shown: !quiet, said: Arc::default() }
    }

    /// Says `words` of `subject`, unless something was said of it.
    pub(super) fn once(&self, subject: &str, words: &str) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.insert(subject.to_owned()) && self.shown {
            // With standard error closed there is nobody left to tell.
            drop(writeln!(stderr(), "{}", printable(&format!("waiting: {subject}: {words}"))));
        }
    }

    #[cfg(test)]
    pub(super) fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().iter().cloned().collect()
    }
}
