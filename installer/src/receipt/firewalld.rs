//! What firewalld lets through.

use serde::{Deserialize, Serialize};

/// Where rules are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Place {
    /// At work, until firewalld reads its files.
    Work,
    /// In the files of a firewalld that runs.
    Files,
    /// In the files of one that does not.
    FilesOfStopped,
}

/// Something that a zone lets through.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// The zone. Rules of older receipts may have none: they are for the default one.
    pub zone: String,
    /// What kind of thing it is.
    pub kind: Kind,
    /// Which, as firewall-cmd's options have it.
    pub word: String,
}

/// The kinds of rules that we make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A port, or a range of them.
    Port,
    /// A protocol by itself.
    Protocol,
    /// A rule in firewalld.richlanguage(5).
    RichRule,
    /// A service that firewalld knows.
    Service,
    /// A network whose packets arrive in the zone.
    Source,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Self; 5] =
        [Self::Port, Self::Protocol, Self::RichRule, Self::Service, Self::Source];

    /// As firewall-cmd's options have it after `--add-`.
    pub(crate) fn option(self) -> &'static str {
        match self {
            Self::Port => "port",
            Self::Protocol => "protocol",
            Self::RichRule => "rich-rule",
            Self::Service => "service",
            Self::Source => "source",
        }
    }

    /// The key under which a zone lists them.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Port => "ports",
            Self::Protocol => "protocols",
            Self::RichRule => "rich rules",
            Self::Service => "services",
            Self::Source => "sources",
        }
    }
}
