//! When a token ends.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use x509_cert::der::DateTime;

/// An instant in UTC, to the second: `2026-11-26T14:00:00Z` (RFC 3339).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Expiry(DateTime);

impl Expiry {
    /// So long from now on, by this node's clock. An error for a clock that is
    /// before 1970, or far beyond our time.
    pub fn after(validity: Duration) -> anyhow::Result<Self> {
        Ok(Self(DateTime::from_system_time(SystemTime::now() + validity)?))
    }

    /// Whether that is over, by this node's clock.
    pub fn is_past(self) -> bool {
        self.0.to_system_time() < SystemTime::now()
    }
}

impl TryFrom<String> for Expiry {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = |_| format!("`{text}` is no date and time like 2026-11-26T14:00:00Z");
        text.parse().map(Self).map_err(wrong)
    }
}

impl From<Expiry> for String {
    fn from(expiry: Expiry) -> Self {
        expiry.to_string()
    }
}

impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
