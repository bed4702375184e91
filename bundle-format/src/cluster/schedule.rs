//! Backups that masters make by themselves.

use std::fmt;
use std::num::NonZeroU16;
use std::path::Path;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::export::is_plain_path;

/// Backups that each master makes by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct BackupSchedule {
    /// How often.
    pub schedule: Interval,
    /// How many are kept. Older ones are removed.
    pub keep: NonZeroU16,
    /// The folder in which they lie.
    pub folder: BackupFolder,
}

impl Default for BackupSchedule {
    fn default() -> Self {
        Self {
            schedule: Interval::Daily,
            keep: NonZeroU16::MIN.saturating_add(6),
            folder: BackupFolder("/var/backups/kubeferry".to_owned()),
        }
    }
}

/// How often something is done, by systemd's words (systemd.time(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Interval {
    /// At the beginning of each hour.
    Hourly,
    /// At midnight.
    Daily,
    /// On Mondays, at midnight.
    Weekly,
}

impl Interval {
    /// How long it is.
    pub fn length(self) -> Duration {
        let hours = match self {
            Self::Hourly => 1,
            Self::Daily => 24,
            Self::Weekly => 7 * 24,
        };
        Duration::from_secs(hours * 3600)
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hourly => "hourly",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
        })
    }
}

/// An absolute path. It has no character that must be quoted in systemd's files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, extend("format" = "backup-folder"))]
pub struct BackupFolder(String);

impl TryFrom<String> for BackupFolder {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if is_plain_path(&text) {
            return Ok(Self(text));
        }
        Err(format!("`{text}` is no folder for backups; write it like /var/backups/kubeferry"))
    }
}

impl From<BackupFolder> for String {
    fn from(path: BackupFolder) -> Self {
        path.0
    }
}

impl fmt::Display for BackupFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<Path> for BackupFolder {
    fn as_ref(&self) -> &Path {
        Path::new(&self.0)
    }
}
