//! Why bytes are no lock to go by.

use super::document::LOCK_VERSION;
use crate::text::brief;

/// Why bytes are no lock to go by.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// An editor put a mark before the text.
    #[error("it begins with a byte order mark: save it as UTF-8 without one")]
    ByteOrderMark,
    /// It was made by another version of these programs.
    #[error("it has version {found}, and this program reads version {LOCK_VERSION}")]
    Version {
        /// What it says.
        found: u32,
    },
    /// It is no JSON of a lock's form.
    #[error("{0}")]
    Json(String),
    /// Its parts contradict each other.
    #[error("{}", .0.join("\n"))]
    Senseless(Vec<String>),
}

impl LockError {
    /// The parser's words repeat those of the text.
    pub(super) fn json(error: serde_json::Error) -> Self {
        Self::Json(brief(&error.to_string()))
    }
}
