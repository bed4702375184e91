//! Yum repositories, and what is checked in them.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::reason::Reason;
use super::text;
use crate::rpm::key;

/// A yum repository.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Repository {
    /// A short name, unique in the target.
    #[schemars(with = "text::Id")]
    pub id: Spanned<String>,
    /// The URL of the folder that contains `repodata/`: `https://`, `http://` or
    /// `file://`. `$basearch` becomes the target's architecture, and `$minor` the
    /// minor release of Kubernetes: `1.37`.
    #[serde(default)]
    #[schemars(with = "Option<text::BaseUrl>")]
    pub base_url: Option<String>,
    /// The URL of a document that lists base URLs, one a line. The first one that
    /// answers is used. Give either this or `baseUrl`.
    #[serde(default)]
    #[schemars(with = "Option<text::FetchUrl>")]
    pub mirror_list: Option<String>,
    /// The vendor's public keys: URLs, or files beside the spec.
    #[serde(default)]
    #[schemars(with = "Vec<text::Location>")]
    pub keys: Vec<String>,
    /// If several repositories offer a package, the one with the lowest number is
    /// used.
    #[serde(default = "default_priority")]
    pub priority: u32,
    /// Whether each package's signature is checked.
    #[serde(default)]
    pub gpgcheck: Check,
    /// Whether the metadata's signature is checked.
    #[serde(default)]
    pub repo_gpgcheck: Check,
    /// What happens with a key that has expired.
    #[serde(default)]
    pub expired_keys: ExpiredKeys,
    /// The reason why the repository's keys are read over http without TLS, and,
    /// if no signature is checked, the repository too. `inspect` shows the
    /// reason.
    #[serde(default)]
    #[schemars(with = "Option<text::Reason>")]
    pub plain_http: Option<Reason>,
    /// Use packages even if a module stream hides them, like dnf's
    /// `module_hotfixes=1`.
    #[serde(default)]
    pub module_hotfixes: bool,
    /// Names of packages that are never taken from this repository. `*` stands
    /// for any text.
    #[serde(default)]
    #[schemars(extend("examples" = [["kernel-debug*"]]))]
    pub exclude: Vec<String>,
}

fn default_priority() -> u32 {
    99
}

/// A check that is on unless there is a reason. Programs that read YAML 1.1, such as
/// PyYAML, take `on` and `off` for true and false. For such programs, write both in
/// quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Check {
    /// The check is made.
    #[default]
    On,
    /// The check is not made, for this reason. `inspect` shows the reason.
    Off(#[schemars(with = "text::Reason")] Reason),
}

/// What happens with a key that has expired.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum ExpiredKeys {
    /// Its signatures do not count.
    #[default]
    Refuse,
    /// Its signatures count, for this reason. `inspect` shows the reason.
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
