//! Reading bytes into a [`Lock`] that can be relied on.

use serde::Deserialize;

use super::document::{LOCK_VERSION, LOCK_VERSION_WITH_HOPS, Lock};
use super::error::LockError;
use super::sense;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    lock_version: u32,
}

impl Lock {
    /// Reads a lock. Its version is checked first, so that new fields of another
    /// version are not reported as mistakes. Then the lock must make sense in
    /// itself. A caller that gives the bytes away needs no memory for them after that.
    pub fn parse(owned: impl AsRef<[u8]>) -> Result<Self, LockError> {
        let bytes = owned.as_ref();
        if bytes.starts_with(b"\xef\xbb\xbf") {
            return Err(LockError::ByteOrderMark);
        }
        let Version { lock_version: found } =
            serde_json::from_slice(bytes).map_err(LockError::json)?;
        if ![LOCK_VERSION, LOCK_VERSION_WITH_HOPS].contains(&found) {
            return Err(LockError::Version { found });
        }
        sense::look_through(bytes)?;
        let lock: Self = serde_json::from_slice(bytes).map_err(LockError::json)?;
        drop(owned);
        let problems = lock.contradictions();
        if problems.is_empty() { Ok(lock) } else { Err(LockError::Senseless(problems)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_lock_is_told_apart() {
        let words = |bytes: &[u8]| Lock::parse(bytes).unwrap_err().to_string();
        assert!(words(b"\xef\xbb\xbf{}").contains("byte order mark"));
        assert!(words(br#"{"lockVersion":3,"new":1}"#).contains("it has version 3"));
        assert!(words(br#"{"lockVersion":2,"new":1}"#).contains("unknown field `new`"));
        assert!(words(br#"{"lockVersion":1,"new":1}"#).contains("unknown field `new`"));
        assert!(words(br#"{"lockVersion":1,"\u001b[2J":1}"#).contains("`\\u{1b}[2J`"));
        assert!(words(b"\xff\xfe{\0").contains("expected"));
        assert!(words("[".repeat(500_000).as_bytes()).contains("at line 1"));
    }
}
