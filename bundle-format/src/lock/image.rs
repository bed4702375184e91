//! An image, and its platforms.

use serde::{Deserialize, Serialize};

use super::descriptor::Descriptor;
use super::why::Why;
use crate::architecture::Architecture;
use crate::reference::ImageReference;

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
