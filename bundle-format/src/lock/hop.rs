//! A release of Kubernetes between the one that a cluster has and the bundle's own.
//! kubeadm goes one minor release at a time, so a cluster that is several behind has to
//! go through these.

use serde::{Deserialize, Serialize};

use super::file::LockedFile;
use super::image::LockedImage;
use super::rpm::LockedRpm;
use super::target::LockedTarget;
use crate::reference::ImageReference;
use crate::version::KubernetesVersion;

/// All that nodes need for one release in between. What it shares with other releases of
/// the bundle is listed in each of them, and is in the bundle once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LockedHop {
    /// The Kubernetes version.
    pub kubernetes: KubernetesVersion,
    /// The sandbox image that containerd must be set to; one of `images`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox_image: Option<ImageReference>,
    /// Those of the lock, with their repositories as they are for this release.
    pub targets: Vec<LockedTarget>,
    /// Sorted by target, then by package.
    pub rpms: Vec<LockedRpm>,
    /// kubeadm's, sorted by name.
    pub images: Vec<LockedImage>,
    /// The keys of its repositories, sorted by title.
    pub files: Vec<LockedFile>,
}

impl LockedHop {
    /// The folder of its files in the bundle: `hops/1.35.4`.
    pub fn folder(&self) -> String {
        format!("hops/{}", self.kubernetes)
    }
}
