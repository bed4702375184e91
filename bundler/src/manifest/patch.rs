//! Changes to a manifest's text that leave every other byte as it was.

use schemars::JsonSchema;
use serde::Deserialize;

/// One change to a manifest.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Patch {
    /// `IfNotPresent` instead of every `imagePullPolicy: Always`.
    PullPolicy(String),
}
