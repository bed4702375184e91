//! Why bytes are not a usable lock.

use super::document::LOCK_VERSION_WITH_HOPS;
use crate::text::brief;

/// Why bytes are not a usable lock.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// An editor put a byte order mark before the text.
    #[error("it begins with a byte order mark: save it as UTF-8 without one")]
    ByteOrderMark,
    /// Another version of these programs made it.
    #[error(
        "it has version {found}, and this program reads versions 1 to {LOCK_VERSION_WITH_HOPS}: \
             use a newer one"
    )]
    Version {
        /// The version that it has.
        found: u32,
    },
    /// It is not JSON, or not in the form of a lock.
    #[error("{0}")]
    Json(String),
    /// Its parts contradict each other.
    #[error("{}", .0.join("\n"))]
    Senseless(Vec<String>),
}

impl LockError {
    /// The parser's message may quote the document, so it is cleaned.
    pub(super) fn json(error: serde_json::Error) -> Self {
        Self::Json(brief(&error.to_string()))
    }
}
