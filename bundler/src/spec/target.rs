//! The kinds of nodes, and what each is to have.

use std::collections::BTreeMap;

use bundle_format::Architecture;
use bundle_format::lock::System;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::repository::Repository;
use super::text;

/// One kind of node: an OS family on an architecture.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Target {
    /// `el7`, `el8` or `el9` bring a list of base packages along; any other
    /// name has none, so `packages` must list all that nodes need.
    #[schemars(with = "text::Family")]
    pub family: Spanned<String>,
    /// The nodes' architecture.
    pub architecture: Architecture,
    /// Which nodes it is for, by their `/etc/os-release`: all fields of one entry must
    /// fit, and `*` stands for any text. Left out: those that call themselves as
    /// `family` does, by `PLATFORM_ID`, or by `ID` and `VERSION_ID` together.
    #[serde(default, rename = "match")]
    pub systems: Vec<OsRelease>,
    /// What every node has already, so that the bundle need not hold it.
    #[serde(default)]
    pub baseline: Baseline,
    /// The yum repositories to solve against, all of them.
    pub repositories: Vec<Repository>,
    /// Packages wanted besides Kubernetes, containerd and the family's base
    /// list: `tcpdump`, `tcpdump = 4.99`, `kernel >= 5.14`.
    #[serde(default)]
    #[schemars(with = "Vec<PackageRequest>")]
    pub packages: Vec<Spanned<PackageRequest>>,
    /// Packages that must not be taken, by name; `*` stands for any text.
    #[serde(default)]
    #[schemars(extend("examples" = [["kernel-debug*"]]))]
    pub exclude: Vec<String>,
}

impl Target {
    /// `el9-x86_64`, the target's name in locks and bundles.
    pub fn id(&self) -> String {
        format!("{}-{}", self.family.value, self.architecture)
    }

    /// The name of one of its repositories in messages.
    pub(crate) fn title_of(&self, repository: &Repository) -> String {
        format!("target {}, repository `{}`", self.id(), repository.id.value)
    }

    /// The systems that it says it is for.
    pub fn systems(&self) -> Vec<System> {
        self.systems.iter().map(|fields| fields.0.clone().into()).collect()
    }
}

/// Fields of a node's os-release(5) with their values.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("propertyNames" = {"format": text::OsReleaseField::schema_name()}))]
pub struct OsRelease(
    #[schemars(with = "BTreeMap<String, text::OsReleaseValue>")] BTreeMap<String, String>,
);

impl OsRelease {
    /// The fields with their values.
    pub fn fields(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

/// What counts as installed on a node before the bundle comes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Baseline {
    /// The closure of the repositories' own group `core`, which every
    /// installation has.
    #[default]
    Core,
    /// Nothing: the bundle holds the whole closure.
    None,
    /// The packages of a real node: a file beside the spec that the query in
    /// `docs/spec.md` wrote there.
    Packages(#[schemars(with = "text::File")] String),
}

/// A package that nodes are to have.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PackageRequest {
    /// `tcpdump`, `tcpdump-4.99.0`, `tcpdump >= 4.99`.
    Anywhere(#[schemars(with = "text::Package")] String),
    /// The same from one repository only.
    Pinned(PinnedPackage),
}

/// A package from one repository only.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PinnedPackage {
    /// `tcpdump`, `tcpdump-4.99.0`, `tcpdump >= 4.99`.
    #[schemars(with = "text::Package")]
    pub package: String,
    /// The repository's `id`.
    #[schemars(with = "text::Id")]
    pub repository: String,
}
