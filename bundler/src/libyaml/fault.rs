//! What is wrong in a text, with its place.

/// A file that is not YAML.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{file}:{line}:{column}: {reason}")]
pub struct YamlError {
    file: String,
    line: usize,
    column: usize,
    reason: String,
}

/// What is wrong in a text, with its line and column from 1.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) reason: String,
}

impl Fault {
    /// The error for the file with this name.
    pub(super) fn of(self, file: &str) -> YamlError {
        let Self { line, column, reason } = self;
        YamlError { file: file.to_owned(), line, column, reason }
    }
}
