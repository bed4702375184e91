//! Kubernetes YAML that the bundle is to hold, and what that relies on.

use bundle_format::ImageReference;
use schemars::JsonSchema;
use serde::Deserialize;

use super::patch::{Change, Patch};
use super::reason::Reason;
use super::text;

/// A file of Kubernetes YAML.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// A short name, unique: `calico`. The bundle holds `manifests/calico.yaml`.
    #[schemars(with = "text::Name")]
    pub name: String,
    /// Where it is published. Instead of `file`.
    #[serde(default)]
    #[schemars(with = "Option<text::FetchUrl>")]
    pub url: Option<String>,
    /// Where it is, beside the spec. Instead of `url`.
    #[serde(default)]
    #[schemars(with = "Option<text::File>")]
    pub file: Option<String>,
    /// The digest it must have, as 64 hex digits. Left out, `lock` writes down
    /// what it finds.
    #[serde(default)]
    #[schemars(with = "Option<text::Sha256>")]
    pub sha256: Option<String>,
    /// Read it over http without TLS though no `sha256` is given, for this reason,
    /// which `inspect` shows.
    #[serde(default)]
    #[schemars(with = "Option<text::Reason>")]
    pub plain_http: Option<Reason>,
    /// Changes to make to it, in order.
    #[serde(default)]
    #[schemars(with = "Vec<Change>")]
    pub patches: Vec<Patch>,
    /// Images that it is known not to need although it names them.
    #[serde(default)]
    #[schemars(with = "Vec<text::Image>")]
    pub ignore_images: Vec<ImageReference>,
}

/// What is in the cluster before a manifest needs it, though no manifest brings
/// it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Provided {
    /// Kinds with their groups, as an operator defines them, or alpha and beta
    /// kinds that are switched on: `Installation.operator.tigera.io`.
    #[serde(default)]
    #[schemars(with = "Vec<text::KindOfGroup>")]
    pub kinds: Vec<String>,
    /// Namespaces.
    #[serde(default)]
    #[schemars(with = "Vec<text::Namespace>")]
    pub namespaces: Vec<String>,
}
