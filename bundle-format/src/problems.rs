//! A list of problems that stays short, even if there are a million of them.

use crate::bounds::MAX_PROBLEMS;

/// The first problems, and how many there are in all.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    told: Vec<String>,
    more: usize,
}

impl Problems {
    /// Adds a problem.
    pub(crate) fn add(&mut self, words: impl FnOnce() -> String) {
        match self.told.len() < MAX_PROBLEMS {
            true => self.told.push(words()),
            false => self.more += 1,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// One line for each problem kept, and one line that counts the others.
    pub(crate) fn lines(self) -> Vec<String> {
        let mut lines = self.told;
        if self.more > 0 {
            lines.push(format!("and {} more", self.more));
        }
        lines
    }
}
