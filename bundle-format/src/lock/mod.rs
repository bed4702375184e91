//! The lock: exactly what a spec means today, every artifact with its source,
//! size, digest and the reason it is there. Pure data; it carries no time, no
//! host name and no path of the machine that made it, so it can be reviewed in
//! a diff, and so that the same lock gives the same bundle.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::architecture::Architecture;
use crate::cluster::Given;
use crate::digest::Digest;
use crate::nevra::Nevra;
use crate::reference::ImageReference;

mod expectation;
mod read;
mod sense;
#[cfg(test)]
mod tests;
mod system;

pub use expectation::{Aspect, Expectation};
pub use read::LockError;
pub use system::{System, foreign_tool, is_field};

/// The version of the lock's shape that this code writes and reads.
pub const LOCK_VERSION: u32 = 1;

/// Everything a bundle holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lock {
    /// [`LOCK_VERSION`].
    pub lock_version: u32,
    /// The spec's `name`.
    pub name: String,
    /// The digest of the spec file's bytes.
    pub spec: Digest,
    /// `1.28.2`, with no `v`.
    pub kubernetes: String,
    /// `1.6.25`, where the spec names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub containerd: Option<String>,
    /// The sandbox image that containerd must be set to; one of `images`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox_image: Option<ImageReference>,
    /// One per OS family and architecture, in the spec's order.
    pub targets: Vec<LockedTarget>,
    /// Sorted by target, then by package.
    pub rpms: Vec<LockedRpm>,
    /// Sorted by name.
    pub images: Vec<LockedImage>,
    /// In the spec's order, which is the order to apply them in.
    pub manifests: Vec<LockedManifest>,
    /// Keys, installers and other single files, sorted by title.
    pub files: Vec<LockedFile>,
    /// Local files that the lock was made of and that the bundle does not hold as
    /// they are, sorted by path. A lock of an earlier version has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<LockedInput>,
    /// Keys of the cluster file that hold where a site's own has others.
    #[serde(default, skip_serializing_if = "Given::is_empty")]
    pub cluster: Given,
    /// Each check that the spec switched off, with its reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disabled_checks: Vec<DisabledCheck>,
    /// What a release engineer should know of this combination.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

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

/// One RPM.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LockedRpm {
    /// The target whose nodes it is for: a [`LockedTarget::id`].
    pub target: String,
    /// What it is.
    pub package: Nevra,
    /// The repository it comes from: a [`LockedRepository::id`].
    pub repository: String,
    /// Where it is fetched from.
    pub source: Url,
    /// Bytes.
    pub size: u64,
    /// The digest of the whole file.
    pub digest: Digest,
    /// Why it is there.
    pub why: Vec<Why>,
}

/// One image, for one or more architectures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LockedImage {
    /// The name that nodes know it by.
    pub name: ImageReference,
    /// The name it is pulled by.
    pub source: ImageReference,
    /// What `name` resolves to: an index, or an image manifest where the
    /// registry has no index.
    pub root: Descriptor,
    /// The wanted platforms, sorted; the others of an index are not carried.
    pub platforms: Vec<LockedPlatform>,
    /// The manifests of which the index says no platform, in its order. containerd
    /// reads each of them at an import, whatever it imports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unplaced: Vec<Descriptor>,
    /// Why it is there.
    pub why: Vec<Why>,
}

/// One platform of an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LockedPlatform {
    /// The nodes' architecture; the operating system is always Linux.
    pub architecture: Architecture,
    /// The image manifest; equal to the image's root where there is no index.
    pub manifest: Descriptor,
    /// The image's configuration blob.
    pub config: Descriptor,
    /// Its layers, the lowest first.
    pub layers: Vec<Descriptor>,
}

/// A blob by its digest (OCI image spec, `descriptor.md`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Descriptor {
    /// The media type, as the registry gives it.
    pub media_type: String,
    /// The blob's name.
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
}

/// One file of Kubernetes YAML.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LockedManifest {
    /// The spec's name for it; the file to apply is `manifests/<name>.yaml`.
    pub name: String,
    /// Its URL, or the path in the spec.
    pub source: String,
    /// The file as upstream published it, carried byte for byte as
    /// `manifests/upstream/<name>.yaml` when patches make another of it.
    pub upstream: Descriptor,
    /// The file to apply; equal to `upstream` where nothing is patched.
    pub applied: Descriptor,
    /// Each change from one to the other, in the file's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patches: Vec<Edit>,
    /// The images it needs, sorted.
    pub images: Vec<ImageReference>,
    /// The parts in which it is applied, in order; none where all of it is
    /// applied at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passes: Vec<LockedPass>,
    /// What it takes for granted of the cluster that it is applied to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expects: Vec<Expectation>,
}

impl LockedManifest {
    /// Where the pass with this number, from 0, lies in a bundle.
    pub fn title_of_pass(&self, index: usize) -> String {
        format!("manifests/passes/{}.{}.yaml", self.name, index + 1)
    }
}

/// A part of a manifest that is applied at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LockedPass {
    /// Its documents.
    pub content: Descriptor,
    /// Whether it defines kinds, which take a moment to be served.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub defines_kinds: bool,
    /// Whether the API server merges it: an object in it is too large for the
    /// annotation in which kubectl keeps what it applied.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_server: bool,
}

/// One change to a manifest's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Edit {
    /// What asked for it: `hostNetwork`, `poolCidr`, `pullPolicy`,
    /// `imageRewrite`, `set …`.
    pub patch: String,
    /// The line of the upstream file, from 1.
    pub line: usize,
    /// The text that was there; empty for an insertion.
    pub from: String,
    /// The text that is there now.
    pub to: String,
}

/// A single file with no more structure of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LockedFile {
    /// What it is.
    pub kind: FileKind,
    /// Its path in the bundle: `keys/el9-x86_64/kubernetes-1.asc`.
    pub title: String,
    /// Its URL, or the path in the spec.
    pub source: String,
    /// Its digest, size and type.
    pub content: Descriptor,
}

/// What a [`LockedFile`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// A public key that packages are signed with.
    Key,
    /// The installer for an architecture.
    Installer,
    /// Cluster configuration that travels along.
    Config,
}

/// A local file that the lock was made of: a key as it lies there, a package list,
/// a mirror list, the certificate of an authority.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LockedInput {
    /// As the spec names it.
    pub path: String,
    /// The digest of its bytes.
    pub digest: Digest,
}

/// A check that the spec switched off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DisabledCheck {
    /// `gpgcheck`, `repoGpgcheck`, `expiredKeys`, `plainHttp`.
    pub check: String,
    /// The repository or registry it is off for.
    pub subject: String,
    /// The spec's reason.
    pub reason: String,
}

/// Why an artifact is in the bundle.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "because",
    deny_unknown_fields
)]
pub enum Why {
    /// The spec asks for it, at this path and line.
    Spec {
        /// `packages[3]`, `images[0]`, ….
        path: String,
        /// The line of the spec, from 1.
        line: u64,
    },
    /// A target profile's base list asks for it.
    Base {
        /// The profile.
        profile: String,
    },
    /// A package that is in the bundle requires it.
    Requires {
        /// The package.
        package: Nevra,
        /// The requirement that it fulfils, as written in the metadata.
        requirement: String,
    },
    /// A manifest names it.
    Manifest {
        /// The manifest's name.
        manifest: String,
        /// `DaemonSet kube-system/calico-node`.
        document: String,
        /// The path in the document: `spec.template.spec.containers[0].image`.
        path: String,
    },
    /// kubeadm of the spec's Kubernetes version needs it.
    Kubeadm {
        /// The component: `etcd`, `pause`, …
        component: String,
    },
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spec { path, line } => write!(f, "the spec asks for it: {path}, line {line}"),
            Self::Base { profile } => write!(f, "every {profile} node needs it"),
            Self::Requires { package, requirement } => {
                write!(f, "{package} requires {requirement}")
            }
            Self::Manifest { manifest, document, path } => {
                write!(f, "manifest {manifest} names it: {document}, {path}")
            }
            Self::Kubeadm { component } => write!(f, "kubeadm needs it: {component}"),
        }
    }
}

impl fmt::Display for DisabledCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for {}: {}", self.check, self.subject, self.reason)
    }
}
