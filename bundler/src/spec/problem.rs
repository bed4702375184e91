//! What is wrong with a spec, and where.

use std::fmt;
use std::path::Path;

use super::secret::{hidden, hidden_within};

/// How much of a text is shown; a spec may be one line of any length.
const SHOWN: usize = 60;

/// Where in a spec something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters from 1.
    pub column: usize,
}

/// One mistake, with what to write instead.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Problem {
    pub(super) place: Place,
    pub(super) message: String,
}

impl Problem {
    pub(super) fn new(place: Place, message: impl Into<String>) -> Self {
        Self { place, message: hidden_within(&message.into()) }
    }

    /// `spec.yaml:3:5: …`, as editors and terminals know it.
    pub(super) fn line(&self, path: &Path) -> String {
        format!("{}: {}", self.place.of(path), self.message)
    }
}

impl Place {
    /// `spec.yaml:3:5`.
    pub(super) fn of(self, path: &Path) -> String {
        format!("{}:{self}", path.display())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A value of the spec as it is shown: in backticks, on one line, short, and
/// without secrets.
pub(super) fn quoted(text: &str) -> String {
    format!("`{}`", cut(&hidden(text)))
}

/// The beginning of a text, on one line, without secrets.
pub(super) fn cut(text: &str) -> String {
    let text = &hidden_within(text);
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let mut shown: String = text.chars().take(SHOWN).map(plain).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}
