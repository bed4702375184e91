//! The checks that a spec can switch off.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A check that a spec can switch off, named by the spec's key for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CheckName {
    /// `gpgcheck`: the signatures of packages.
    Gpgcheck,
    /// `repoGpgcheck`: the signature of a repository's metadata.
    RepoGpgcheck,
    /// `expiredKeys`: that a signature's key has not expired.
    ExpiredKeys,
    /// `plainHttp`: that everything is fetched by TLS.
    PlainHttp,
}

impl CheckName {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::Gpgcheck, Self::RepoGpgcheck, Self::ExpiredKeys, Self::PlainHttp];

    /// What nobody asks for if it is off, for who does not know the spec's key:
    /// `TLS (plainHttp)`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Gpgcheck => "signatures of packages (gpgcheck)",
            Self::RepoGpgcheck => "a signature of the list of packages (repoGpgcheck)",
            Self::ExpiredKeys => "the end date of keys (expiredKeys)",
            Self::PlainHttp => "TLS (plainHttp)",
        }
    }
}

impl fmt::Display for CheckName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gpgcheck => "gpgcheck",
            Self::RepoGpgcheck => "repoGpgcheck",
            Self::ExpiredKeys => "expiredKeys",
            Self::PlainHttp => "plainHttp",
        })
    }
}

/// A check that the spec switched off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DisabledCheck {
    /// The check.
    pub check: CheckName,
    /// The repository or registry that it is off for.
    pub subject: String,
    /// The spec's reason.
    pub reason: String,
}

impl fmt::Display for DisabledCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for {}: {}", self.check, self.subject, self.reason)
    }
}
