//! Rules of firewalld, as the receipt names them.

use serde::{Deserialize, Serialize};

/// A place of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Place {
    /// At work, until firewalld reads its files.
    Work,
    /// In the files of a running firewalld.
    Files,
    /// In the files of a stopped firewalld.
    FilesOfStopped,
}

/// Something that a zone lets through.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// The zone. In older receipts it may be empty: the default zone.
    pub zone: String,
    /// The kind of rule.
    pub kind: Kind,
    /// The value of firewall-cmd's option.
    pub word: String,
}

/// The kinds of rules that we make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A port, or a range of them.
    Port,
    /// A protocol.
    Protocol,
    /// A rule in firewalld.richlanguage(5).
    RichRule,
    /// A service that firewalld knows.
    Service,
    /// A network whose packets arrive in the zone.
    Source,
}

impl Kind {
    /// All kinds.
    pub(crate) const ALL: [Self; 5] =
        [Self::Port, Self::Protocol, Self::RichRule, Self::Service, Self::Source];

    /// The option of firewall-cmd, after `--add-`.
    pub(crate) fn option(self) -> &'static str {
        match self {
            Self::Port => "port",
            Self::Protocol => "protocol",
            Self::RichRule => "rich-rule",
            Self::Service => "service",
            Self::Source => "source",
        }
    }
}
