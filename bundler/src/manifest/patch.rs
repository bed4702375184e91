//! Changes to a manifest's text that leave every other byte as it was.

use bundle_format::lock::Edit;
use schemars::JsonSchema;
use serde::Deserialize;

/// One change to a manifest.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Patch {
    /// `IfNotPresent` instead of every `imagePullPolicy: Always`.
    PullPolicy(String),
}

/// A patch that cannot be applied.
#[derive(Debug, thiserror::Error)]
pub enum PatchError {
    /// PLACEHOLDER
    #[error("x")]
    X,
}

/// Applies.
pub fn apply(
    patches: &[Patch],
    _name: &str,
    text: &str,
) -> Result<(String, Vec<Edit>), PatchError> {
    if !patches.is_empty() {
        return Err(PatchError::X);
    }
    Ok((text.to_owned(), Vec::new()))
}
