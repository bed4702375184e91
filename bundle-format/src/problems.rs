//! What is wrong with something, of which there may be a million things.

use crate::bounds::MAX_PROBLEMS;

/// The first of the problems, and how many there are.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    told: Vec<String>,
    more: usize,
}

impl Problems {
    /// Adds one.
    pub(crate) fn add(&mut self, words: impl FnOnce() -> String) {
        match self.told.len() < MAX_PROBLEMS {
            true => self.told.push(words()),
            false => self.more += 1,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// A line for each, and one for those that are too many.
    pub(crate) fn lines(self) -> Vec<String> {
        let mut lines = self.told;
        if self.more > 0 {
            lines.push(format!("and {} more", self.more));
        }
        lines
    }
}
