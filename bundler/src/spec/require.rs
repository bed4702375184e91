//! What everything in a bundle must have.

use schemars::JsonSchema;
use serde::Deserialize;

/// What everything in a bundle must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Require {
    /// A signature by a vendor, or a digest or a file from who writes the spec.
    Signed,
}
