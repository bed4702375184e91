//! A mistake in a document, and its place.

use std::fmt;
use std::path::Path;

use crate::secret::{hidden, hidden_within};

/// How many characters of a text are shown. A document may be one line of any length.
const SHOWN: usize = 60;

/// A place in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters from 1.
    pub column: usize,
}

/// One mistake, with what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Its place.
    pub place: Place,
    /// What is wrong, and what to write.
    pub message: String,
}

impl Problem {
    /// A mistake at `place`.
    pub fn new(place: Place, message: impl Into<String>) -> Self {
        Self { place, message: hidden_within(&message.into()) }
    }

    /// `spec.yaml:3:5: …`, a form that editors and terminals recognise.
    pub fn line(&self, path: &Path) -> String {
        format!("{}: {}", self.place.of(path), self.message)
    }
}

impl Place {
    /// `spec.yaml:3:5`.
    pub fn of(self, path: &Path) -> String {
        format!("{}:{self}", path.display())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A part of a document as it is shown: in backticks, on one line, short, and without
/// secrets.
pub fn quoted(text: &str) -> String {
    format!("`{}`", cut(&hidden(text)))
}

/// The beginning of a text, on one line, without secrets.
pub fn cut(text: &str) -> String {
    let text = &hidden_within(text);
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let mut shown: String = text.chars().take(SHOWN).map(plain).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}
