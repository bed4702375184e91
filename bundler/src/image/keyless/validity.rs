//! From when to when something is valid.

use std::time::{Duration, SystemTime};

use serde::Deserialize;
use x509_cert::der::DateTime;

/// From when to when something is valid. A side that is left out has no end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) from: Option<SystemTime>,
    pub(super) until: Option<SystemTime>,
}

impl Validity {
    /// Whether it is valid at this time.
    pub(super) fn at(self, time: SystemTime) -> bool {
        self.from.is_none_or(|from| from <= time) && self.until.is_none_or(|until| time <= until)
    }

    /// The time in which both are valid.
    pub(super) fn and(self, other: Self) -> Self {
        let until = [self.until, other.until].into_iter().flatten().min();
        Self { from: self.from.max(other.from), until }
    }
}

/// What a trusted root has: times of RFC 3339, in UTC, such as `2022-12-31T23:59:59.999Z`.
#[derive(Deserialize)]
pub(super) struct Given {
    start: Option<String>,
    end: Option<String>,
}

impl Given {
    /// None if a time has another form.
    pub(super) fn read(&self) -> Option<Validity> {
        let of = |text: &Option<String>| match text {
            None => Some(None),
            Some(text) => time(text).map(Some),
        };
        Some(Validity { from: of(&self.start)?, until: of(&self.end)? })
    }
}

/// A part of a second does not count.
fn time(text: &str) -> Option<SystemTime> {
    let whole = match text.strip_suffix('Z')?.split_once('.') {
        Some((whole, part)) if part.bytes().all(|own| own.is_ascii_digit()) => format!("{whole}Z"),
        Some(_) => return None,
        None => text.to_owned(),
    };
    let time: DateTime = whole.parse().ok()?;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(time.unix_duration().as_secs()))
}
