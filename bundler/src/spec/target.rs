//! The kinds of nodes, and what each kind gets.

use std::collections::BTreeMap;

use bundle_format::Architecture;
use bundle_format::lock::System;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::repository::Repository;
use super::{profile, text};

/// One kind of node: an OS family on an architecture.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Target {
    /// The OS family. `el7`, `el8`, `el9` and `el10` have a list of base packages.
    /// Any other name has none, so `packages` must list everything that nodes need.
    #[schemars(with = "text::Family")]
    pub family: Spanned<String>,
    /// The nodes' architecture.
    pub architecture: Architecture,
    /// Which nodes this target is for, by their `/etc/os-release`. All fields of
    /// one entry must match, and `*` stands for any text. Left out: nodes whose
    /// `PLATFORM_ID`, or `ID` and `VERSION_ID` together, say the same as
    /// `family`.
    #[serde(default, rename = "match")]
    pub systems: Vec<OsRelease>,
    /// What every node has already, so that the bundle does not need it.
    #[serde(default)]
    pub baseline: Baseline,
    /// All yum repositories that packages may come from.
    pub repositories: Vec<Repository>,
    /// Packages besides Kubernetes, containerd and the family's base list:
    /// `tcpdump`, `tcpdump = 4.99`, `kernel >= 5.14`.
    #[serde(default)]
    #[schemars(with = "Vec<PackageRequest>")]
    pub packages: Vec<Spanned<PackageRequest>>,
    /// Names of packages that are never taken. `*` stands for any text.
    #[serde(default)]
    #[schemars(extend("examples" = [["kernel-debug*"]]))]
    pub exclude: Vec<String>,
}

impl Target {
    /// The target's name in locks and bundles: `el9-x86_64`.
    pub fn id(&self) -> String {
        format!("{}-{}", self.family.value, self.architecture)
    }

    /// How messages call one of the target's repositories.
    pub(crate) fn title_of(&self, repository: &Repository) -> String {
        format!("target {}, repository `{}`", self.id(), repository.id.value)
    }

    /// Whether the spec itself asks for the package `name`, in any version.
    pub(crate) fn asks_for(&self, name: &str) -> bool {
        self.packages.iter().any(|package| {
            let text = match &package.value {
                PackageRequest::Anywhere(text) => text,
                PackageRequest::Pinned(pinned) => &pinned.package,
            };
            let rest = text.trim().strip_prefix(name);
            // `kernel-modules-extra-6.12…`, but not `kernel-modules-extra-matched`.
            rest.is_some_and(|rest| {
                let rest = rest.trim_start_matches('-');
                !rest.starts_with(|c: char| c.is_ascii_alphabetic())
            })
        })
    }

    /// What to know about a target whose profile has packages of the kernel's own
    /// version, if the kernel is not known; `None` if the spec asks for all of them.
    pub(crate) fn unknown_kernel(&self) -> Option<String> {
        let missing = self.missing_of_kernel()?;
        Some(format!(
            "target {}: its nodes need {missing} of exactly the kernel that they run, and the \
             baseline names no kernel: run `installer inventory` on a node and write its list as \
             `baseline: {{packages: FILE}}`, or name the version under `packages`, such as \
             `{missing} = 6.12.0-124.8.1.el10_1`; otherwise each node must have it already",
            self.id()
        ))
    }

    /// The same, if a node's list says which kernel runs and has no kernel-core of it.
    pub(crate) fn foreign_kernel(&self, running: &str) -> Option<String> {
        let missing = self.missing_of_kernel()?;
        Some(format!(
            "target {}: its nodes need {missing} of exactly the kernel that they run, and the \
             list has no kernel-core of that kernel, {}: name the package with the kernel's \
             modules under `packages`; otherwise each node must have it already",
            self.id(),
            bundle_format::text::brief(running)
        ))
    }

    /// A package of the kernel's own version that nodes need and the spec does not ask for.
    fn missing_of_kernel(&self) -> Option<String> {
        let profile = profile::of_family(&self.family.value)?;
        profile.of_kernel.into_iter().find(|package| !self.asks_for(package))
    }

    /// The systems that the target is for.
    pub fn systems(&self) -> Vec<System> {
        self.systems.iter().map(|fields| fields.0.clone().into()).collect()
    }
}

/// Fields of a node's os-release(5), with their values.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
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

/// What is already installed on a node before the bundle comes.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Baseline {
    /// All that the group `core` of the repositories installs. Every installation
    /// has it.
    #[default]
    Core,
    /// Nothing: the bundle holds the whole closure.
    None,
    /// The packages of a real node: a file beside the spec, made with the command
    /// in `docs/spec.md`.
    Packages(#[schemars(with = "text::File")] String),
}

/// A package that nodes are to have.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PackageRequest {
    /// `tcpdump`, `tcpdump-4.99.0`, `tcpdump >= 4.99`.
    Anywhere(#[schemars(with = "text::Package")] String),
    /// The same, from one repository only.
    Pinned(PinnedPackage),
}

/// A package from one repository only.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PinnedPackage {
    /// `tcpdump`, `tcpdump-4.99.0`, `tcpdump >= 4.99`.
    #[schemars(with = "text::Package")]
    pub package: String,
    /// The repository's `id`.
    #[schemars(with = "text::Id")]
    pub repository: String,
}
