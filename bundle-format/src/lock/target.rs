//! The nodes that a bundle is for, and the repositories of their packages.

use serde::{Deserialize, Serialize};
use url::Url;

use super::system::System;
use crate::architecture::Architecture;
use crate::digest::Digest;
use crate::nevra::Nevra;

/// An OS family on an architecture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LockedTarget {
    /// `el9-x86_64`: the folder of its RPMs, `rpms/<id>/`.
    pub id: String,
    /// `el7`, `el8`, `el9` or the spec's own name.
    pub family: String,
    /// The nodes' architecture.
    pub architecture: Architecture,
    /// The systems that it is for, where the spec says; else those that call themselves
    /// as the family does.
    #[serde(default, rename = "match", skip_serializing_if = "Vec::is_empty")]
    pub systems: Vec<System>,
    /// What counted as installed: `comps: core`, `packages: FILE` or `none`.
    pub baseline: String,
    /// The packages asked for, as they were solved.
    pub requested: Vec<Nevra>,
    /// Where its RPMs come from, in the spec's order.
    pub repositories: Vec<LockedRepository>,
    /// Whether the node's dnf must treat the bundle's repository as
    /// `module_hotfixes=1`, since modular packages are carried without their
    /// modules metadata.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub module_hotfixes: bool,
}

/// A yum repository as it was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LockedRepository {
    /// The spec's name for it.
    pub id: String,
    /// The base URL that answered, or that was named.
    pub base_url: Url,
    /// `repomd.xml`'s `<revision>`, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The digest of `repomd.xml`.
    pub repomd: Digest,
    /// Fingerprint of the key that signed `repomd.xml`, where that is checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repomd_signed_by: Option<String>,
    /// Fingerprints of the keys its packages may be signed with; empty where
    /// the spec switched `gpgcheck` off.
    pub keys: Vec<String>,
}
