//! The lock itself: one field for each kind of artifact.

use serde::{Deserialize, Serialize};

use super::check::DisabledCheck;
use super::file::{LockedFile, LockedInput};
use super::hop::LockedHop;
use super::image::LockedImage;
use super::manifest::LockedManifest;
use super::rpm::LockedRpm;
use super::target::LockedTarget;
use crate::cluster::given::Given;
use crate::digest::Digest;
use crate::reference::ImageReference;
use crate::version::KubernetesVersion;

/// The version of a lock without hops. Older programs read only this one.
pub const LOCK_VERSION: u32 = 1;
/// The version of a lock with hops. Older programs do not know hops, so they refuse it.
pub const LOCK_VERSION_WITH_HOPS: u32 = 2;

/// Everything a bundle holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lock {
    /// [`LOCK_VERSION`] or [`LOCK_VERSION_WITH_HOPS`].
    pub lock_version: u32,
    /// The spec's `name`.
    pub name: String,
    /// The digest of the spec file's bytes.
    pub spec: Digest,
    /// The Kubernetes version.
    pub kubernetes: KubernetesVersion,
    /// The containerd version, such as `1.6.25`, if the spec names one.
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
    /// In the spec's order. They are applied in this order.
    pub manifests: Vec<LockedManifest>,
    /// Keys, installers and other single files, sorted by title.
    pub files: Vec<LockedFile>,
    /// Local files that the lock was made from and that are not in the bundle
    /// byte for byte, sorted by path. Locks of earlier versions have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<LockedInput>,
    /// Keys of the cluster file that the spec sets. A site's own cluster file
    /// overrides them.
    #[serde(default, skip_serializing_if = "Given::is_empty")]
    pub cluster: Given,
    /// Each check that the spec switched off, with its reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disabled_checks: Vec<DisabledCheck>,
    /// The releases on the way to this one, the oldest first, one for each minor
    /// release.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hops: Vec<LockedHop>,
    /// What a release engineer should know about this combination.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}
