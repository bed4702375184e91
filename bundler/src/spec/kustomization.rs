//! A Kustomization, from which a manifest is made.

use schemars::JsonSchema;
use serde::Deserialize;

use super::text;

/// A folder for kustomize.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Kustomization {
    /// The folder beside the spec that has everything that the Kustomization names.
    #[schemars(with = "text::File")]
    pub folder: String,
    /// The folder of the `kustomization.yaml` in it, such as `overlays/site`. Left out:
    /// the folder itself.
    #[serde(default)]
    #[schemars(with = "Option<text::PathInFolder>")]
    pub overlay: Option<String>,
}
