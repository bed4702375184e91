//! Yum repositories, and what is checked of them.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::reason::Reason;
use super::text;
use crate::rpm::key;

/// A yum repository.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Repository {
    /// A short name, unique in its target.
    #[schemars(with = "text::Id")]
    pub id: Spanned<String>,
    /// The folder above `repodata/`: `https://`, `http://` or `file://`.
    /// `$basearch` stands for the target's architecture.
    #[serde(default)]
    #[schemars(with = "Option<text::BaseUrl>")]
    pub base_url: Option<String>,
    /// A document that lists base URLs, one a line; the first that answers is
    /// taken. Instead of `baseUrl`.
    #[serde(default)]
    #[schemars(with = "Option<text::FetchUrl>")]
    pub mirror_list: Option<String>,
    /// The vendor's public keys: URLs, or files beside the spec.
    #[serde(default)]
    #[schemars(with = "Vec<text::Location>")]
    pub keys: Vec<String>,
    /// Which repository wins when several offer a package: the lowest number.
    #[serde(default = "default_priority")]
    pub priority: u32,
    /// Whether each package's signature is checked.
    #[serde(default)]
    pub gpgcheck: Check,
    /// Whether the signature of the metadata is checked.
    #[serde(default)]
    pub repo_gpgcheck: Check,
    /// What becomes of a key that has expired.
    #[serde(default)]
    pub expired_keys: ExpiredKeys,
    /// Read its keys over http without TLS, and the repository too where no
    /// signature is checked, for this reason, which `inspect` shows.
    #[serde(default)]
    #[schemars(with = "Option<text::Reason>")]
    pub plain_http: Option<Reason>,
    /// See packages even where a module stream hides them, as dnf's
    /// `module_hotfixes=1`.
    #[serde(default)]
    pub module_hotfixes: bool,
    /// Packages of this repository that must not be taken, by name; `*` stands
    /// for any text.
    #[serde(default)]
    #[schemars(extend("examples" = [["kernel-debug*"]]))]
    pub exclude: Vec<String>,
}

fn default_priority() -> u32 {
    99
}

/// A check that is on unless there is a reason. Programs that read YAML 1.1, such as
/// PyYAML, take `on` and `off` for true and false: write both in quotes for them.
#[derive(Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Check {
    /// The check is made.
    #[default]
    On,
    /// The check is not made, for this reason, which `inspect` shows.
    Off(#[schemars(with = "text::Reason")] Reason),
}

/// What becomes of a key that has expired.
#[derive(Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum ExpiredKeys {
    /// Its signatures do not count.
    #[default]
    Refuse,
    /// Its signatures count, for this reason, which `inspect` shows.
    Allow(#[schemars(with = "text::Reason")] Reason),
}

impl From<&ExpiredKeys> for key::ExpiredKeys {
    fn from(own: &ExpiredKeys) -> Self {
        match own {
            ExpiredKeys::Refuse => Self::Refuse,
            ExpiredKeys::Allow(_) => Self::Allow,
        }
    }
}
