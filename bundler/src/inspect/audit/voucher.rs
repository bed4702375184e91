//! Who may vouch for a thing.

use std::time::SystemTime;

use bundle_format::day::{day, sorting_day};
use bundle_format::lock::{CheckName, DisabledCheck, Lock};
use serde::Serialize;

use crate::rpm::signatory::Signatory;

/// Who vouches for a thing: from nobody to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum By {
    /// Nobody.
    Nobody,
    /// The connection by which it came when the lock was made. Its digest was fixed then.
    Connection,
    /// Who made the bundle, from a file of his own.
    Maker,
    /// A vendor's key, which signed the repository's metadata. That names the package's
    /// digest, was checked when the lock was made, and is not in the bundle.
    SignedList,
    /// A vendor's key or identity, by a signature that is in the bundle and was checked now.
    Signature,
}

/// Who vouches for a thing, and what is to be said of that: the key, the connection, or why
/// nobody does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Voucher {
    /// Who.
    pub by: By,
    /// The words.
    pub words: String,
    /// The day on which the key expires, if a key vouches that does: `2026-12-29`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// Whether the key signed with SHA-1, for which two contents with one hash can be made.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sha1: bool,
    /// The key or subkey that signed, without its algorithms: `words` has them.
    #[serde(skip)]
    pub key: Option<String>,
    /// The fingerprint of that key, or of the primary key of that subkey.
    #[serde(skip)]
    pub primary: Option<String>,
}

impl Voucher {
    pub(super) fn new(by: By, words: impl Into<String>) -> Self {
        Self { by, words: words.into(), expires: None, sha1: false, key: None, primary: None }
    }

    /// By a key: its words, its algorithms and its end. `words` is what the key signed.
    pub(super) fn key(by: By, words: &str, key: &Signatory, now: SystemTime) -> Self {
        let (own, algorithms) = (&key.words, key.algorithms());
        let end = match key.expires {
            None => "which does not expire".to_owned(),
            Some(end) if end <= now => format!("which expired on {}", day(end)),
            Some(end) => format!("until {}", day(end)),
        };
        Self {
            by,
            words: format!("{words}key {own}, {algorithms}, {end}"),
            expires: key.expires.map(sorting_day),
            sha1: key.is_sha1(),
            key: Some(own.clone()),
            primary: Some(key.fingerprint.clone()),
        }
    }

    pub(super) fn nobody(words: impl Into<String>) -> Self {
        Self::new(By::Nobody, words)
    }
}

/// A thing in a bundle.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Audited {
    /// Who vouches for it.
    pub voucher: Voucher,
    /// What it is, and its name: `rpm el9-x86_64 socat-1.7.4.1-5.el9.x86_64`.
    pub what: String,
}

/// `without TLS (plainHttp) for registry.example.com: it is our own`
pub(super) fn without(off: &DisabledCheck) -> String {
    format!("without {} for {}: {}", off.check.words(), off.subject, off.reason)
}

/// The reason for which a check is off.
pub(super) fn off(lock: &Lock, check: CheckName, subject: &str) -> Option<String> {
    let is_it = |own: &&DisabledCheck| own.check == check && own.subject == subject;
    let own = lock.disabled_checks.iter().find(is_it)?;
    Some(without(own))
}
