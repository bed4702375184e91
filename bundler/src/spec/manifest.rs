//! Kubernetes YAML for the bundle, and what it needs in the cluster.

use bundle_format::ImageReference;
use schemars::JsonSchema;
use serde::Deserialize;

use super::chart::Chart;
use super::kustomization::Kustomization;
use super::patch::{Change, Patch};
use super::reason::Reason;
use super::text;

/// A file of Kubernetes YAML.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// A short, unique name: `calico`. The bundle holds the file as
    /// `manifests/calico.yaml`.
    #[schemars(with = "text::Name")]
    pub name: String,
    /// The URL of the file. Give one of `url`, `file`, `chart` and `kustomize`.
    #[serde(default)]
    #[schemars(with = "Option<text::FetchUrl>")]
    pub url: Option<String>,
    /// The path of the file, from the spec's folder.
    #[serde(default)]
    #[schemars(with = "Option<text::File>")]
    pub file: Option<String>,
    /// The Helm chart that `helm` on this host makes the file from.
    #[serde(default)]
    pub chart: Option<Chart>,
    /// The Kustomization that `kustomize` on this host makes the file from.
    #[serde(default)]
    pub kustomize: Option<Kustomization>,
    /// The digest that the file, or the archive of the chart, must have, as 64 hex
    /// digits. Left out: `lock` records the digest that it finds.
    #[serde(default)]
    #[schemars(with = "Option<text::Sha256>")]
    pub sha256: Option<String>,
    /// The reason why the file is read over http without TLS although no `sha256`
    /// is given. `inspect` shows the reason.
    #[serde(default)]
    #[schemars(with = "Option<text::Reason>")]
    pub plain_http: Option<Reason>,
    /// Changes to the file, made in this order.
    #[serde(default)]
    #[schemars(with = "Vec<Change>")]
    pub patches: Vec<Patch>,
    /// Images that the file names and does not need.
    #[serde(default)]
    #[schemars(with = "Vec<text::Image>")]
    pub ignore_images: Vec<ImageReference>,
}

impl Manifest {
    /// Where it comes from.
    pub(crate) fn source(&self) -> &str {
        let chart = self.chart.as_ref().map(|chart| chart.from.as_str());
        let kustomize = self.kustomize.as_ref().map(|own| own.folder.as_str());
        let file = self.url.as_deref().or(self.file.as_deref());
        file.or(chart).or(kustomize).unwrap_or_default()
    }

    /// Whether its file is made here, by a program of others.
    pub(crate) fn is_rendered(&self) -> bool {
        self.chart.is_some() || self.kustomize.is_some()
    }
}

/// What the cluster has before the manifests are applied, although none of them
/// brings it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Provided {
    /// Kinds with their groups, such as those that an operator defines, or alpha
    /// and beta kinds that are switched on: `Installation.operator.tigera.io`.
    #[serde(default)]
    #[schemars(with = "Vec<text::KindOfGroup>")]
    pub kinds: Vec<String>,
    /// Namespaces.
    #[serde(default)]
    #[schemars(with = "Vec<text::Namespace>")]
    pub namespaces: Vec<String>,
}
