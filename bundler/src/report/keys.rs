//! The vendors' keys in a bundle: whose they are, and when they end.

use std::time::SystemTime;

use bundle_format::archive::reader::Bundle;
use bundle_format::day::day;
use bundle_format::lock::{FileKind, Lock};

use crate::inspect::audit::LIFE;
use crate::rpm::key::Keyring;

/// A key in one of a bundle's files.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// Its fingerprint.
    pub(super) fingerprint: String,
    /// The path of the first file that has it.
    pub(super) file: String,
    /// When it ends, and how that is to be taken.
    pub(super) end: End,
}

/// How near the end of a key is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It does not expire.
    Never,
    /// It expires on this day, which is far.
    Far(String),
    /// It expires on this day, which is near.
    Soon(String),
    /// It expired on this day.
    Past(String),
}

impl End {
    fn of(expires: Option<SystemTime>, now: SystemTime) -> Self {
        match expires {
            None => Self::Never,
            Some(end) if end <= now => Self::Past(day(end)),
            Some(end) if end <= now + LIFE => Self::Soon(day(end)),
            Some(end) => Self::Far(day(end)),
        }
    }

    /// `expires on 02 Nov 2028`
    pub(super) fn words(&self) -> String {
        match self {
            Self::Never => "does not expire".to_owned(),
            Self::Far(day) => format!("expires on {day}"),
            Self::Soon(day) => format!("expires within a year, on {day}"),
            Self::Past(day) => format!("expired on {day}"),
        }
    }
}

/// Each key once.
pub(super) fn all(bundle: &Bundle, now: SystemTime) -> anyhow::Result<Vec<Key>> {
    let lock: &Lock = bundle.lock();
    let files = lock.files.iter().chain(lock.hops.iter().flat_map(|hop| &hop.files));
    let mut found: Vec<Key> = Vec::new();
    for file in files.filter(|file| file.kind == FileKind::Key) {
        let mut keyring = Keyring::default();
        keyring.add(&file.path.to_string(), &bundle.read(&file.content)?)?;
        for (fingerprint, expires) in keyring.fingerprints().into_iter().zip(keyring.expiries(now))
        {
            if found.iter().all(|key| key.fingerprint != fingerprint) {
                let end = End::of(expires, now);
                found.push(Key { fingerprint, file: file.path.to_string(), end });
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_key_that_ends_soon_is_told_from_others() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let days = |days: u64| Some(now + Duration::from_secs(days * 86_400));
        assert_eq!(End::of(None, now), End::Never);
        assert!(matches!(End::of(Some(now), now), End::Past(_)));
        assert!(matches!(End::of(days(365), now), End::Soon(_)));
        assert!(matches!(End::of(days(366), now), End::Far(_)));
    }
}
