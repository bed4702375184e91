//! The nodes that a bundle is for, and the repositories of their packages.

use serde::{Deserialize, Serialize};
use url::Url;

use super::system::System;
use crate::architecture::Architecture;
use crate::digest::Digest;
use crate::nevra::Nevra;

/// An OS family and an architecture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LockedTarget {
    /// `el9-x86_64`: the folder of its RPMs, `rpms/<id>/`.
    pub id: String,
    /// `el7`, `el8`, `el9`, `el10` or a name from the spec.
    pub family: String,
    /// The nodes' architecture.
    pub architecture: Architecture,
    /// The systems that the target is for, if the spec lists them. Otherwise it
    /// is for systems that report the family themselves.
    #[serde(default, rename = "match", skip_serializing_if = "Vec::is_empty")]
    pub systems: Vec<System>,
    /// What was taken as installed: `comps: core`, `packages: FILE` or `none`.
    pub baseline: String,
    /// The packages that answer the spec's requests.
    pub requested: Vec<Nevra>,
    /// Where its RPMs come from, in the spec's order.
    pub repositories: Vec<LockedRepository>,
    /// Whether the node's dnf must treat the bundle's repository as
    /// `module_hotfixes=1`. Modular packages need that, because the bundle does
    /// not hold their modules metadata.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub module_hotfixes: bool,
}

impl LockedTarget {
    /// The repositories for whose packages `gpgcheck` is off. If there is one, nodes install all
    /// packages of the target with `gpgcheck=0`: on a node, all are in one repository.
    pub fn without_gpgcheck(&self) -> impl Iterator<Item = &LockedRepository> {
        self.repositories.iter().filter(|own| own.keys.is_empty())
    }
}

/// A yum repository as it was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LockedRepository {
    /// The spec's name for it.
    pub id: String,
    /// The base URL that answered, or the one that the spec names.
    pub base_url: Url,
    /// `<revision>` of `repomd.xml`, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The digest of `repomd.xml`.
    pub repomd: Digest,
    /// The fingerprint of the key that signed `repomd.xml`, if the signature is
    /// checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repomd_signed_by: Option<String>,
    /// How that key signed it. A lock of an older bundler does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repomd_signature: Option<RepomdSignature>,
    /// The fingerprints of the keys that may sign its packages. Empty if the spec
    /// switched `gpgcheck` off.
    pub keys: Vec<String>,
}

/// The signature over `repomd.xml` that counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RepomdSignature {
    /// The fingerprint of the key that made it: the signer itself, or a subkey of it.
    pub key: String,
    /// The name of its hash, as OpenPGP has it: `SHA256`.
    pub hash: String,
}
