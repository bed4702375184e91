//! Who may vouch for a thing.

use bundle_format::lock::{CheckName, DisabledCheck, Lock};
use serde::Serialize;

/// Who vouches for a thing: from nobody to a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase", tag = "by", content = "words")]
pub enum Voucher {
    /// Nobody: why.
    Nobody(String),
    /// The connection by which it came when the lock was made. Its digest was fixed then.
    Connection(String),
    /// Who made the bundle, from a file of his own.
    Maker(String),
    /// A key, by a signature over other bytes that name this one's digest. It was checked when
    /// the lock was made, and is not in the bundle.
    SignedList(String),
    /// A key, by a signature that is in the bundle and was checked now.
    Signature(String),
}

/// A thing in a bundle.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Audited {
    /// Who vouches for it.
    pub voucher: Voucher,
    /// What it is, and its name: `rpm el9-x86_64 socat-1.7.4.1-5.el9.x86_64`.
    pub what: String,
}

/// The reason for which a check is off.
pub(super) fn off(lock: &Lock, check: CheckName, subject: &str) -> Option<String> {
    let is_it = |own: &&DisabledCheck| own.check == check && own.subject == subject;
    let own = lock.disabled_checks.iter().find(is_it)?;
    Some(format!("without the check {own}"))
}
