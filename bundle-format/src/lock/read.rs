//! From bytes to a [`Lock`] that can be relied on.

use serde::Deserialize;

use super::{LOCK_VERSION, Lock, sense};
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    lock_version: u32,
}

impl Lock {
    /// Reads a lock. The version comes first: what another version has besides
    /// is not called a mistake. Then it must make sense in itself.
    pub fn parse(bytes: &[u8]) -> Result<Self, LockError> {
        if bytes.starts_with(b"\xef\xbb\xbf") {
            return Err(LockError::ByteOrderMark);
        }
        let Version { lock_version: found } = serde_json::from_slice(bytes).map_err(json)?;
        if found != LOCK_VERSION {
            return Err(LockError::Version { found });
        }
        sense::look_through(bytes)?;
        let lock: Self = serde_json::from_slice(bytes).map_err(json)?;
        let problems = lock.contradictions();
        if problems.is_empty() { Ok(lock) } else { Err(LockError::Senseless(problems)) }
    }
}

/// The parser's words repeat those of the text.
pub(super) fn json(error: serde_json::Error) -> LockError {
    LockError::Json(brief(&error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_lock_is_told_apart() {
        let words = |bytes: &[u8]| Lock::parse(bytes).unwrap_err().to_string();
        assert!(words(b"\xef\xbb\xbf{}").contains("byte order mark"));
        assert!(words(br#"{"lockVersion":2,"new":1}"#).contains("version 2"));
        assert!(words(br#"{"lockVersion":1,"new":1}"#).contains("unknown field `new`"));
        assert!(words(br#"{"lockVersion":1,"\u001b[2J":1}"#).contains("`\\u{1b}[2J`"));
        assert!(words(b"\xff\xfe{\0").contains("expected"));
        assert!(words("[".repeat(500_000).as_bytes()).contains("at line 1"));
    }
}
