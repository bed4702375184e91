//! An image and its platforms.

use serde::{Deserialize, Serialize};

use super::descriptor::Descriptor;
use super::signature::LockedSignature;
use super::why::Why;
use crate::architecture::Architecture;
use crate::reference::ImageReference;

/// One image, for one or more architectures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LockedImage {
    /// The name that the image has on nodes.
    pub name: ImageReference,
    /// The name by which it is pulled.
    pub source: ImageReference,
    /// The digest that `name` resolves to: an index, or an image manifest if the
    /// registry has no index.
    pub root: Descriptor,
    /// The wanted platforms, sorted. The bundle does not hold the index's other
    /// platforms.
    pub platforms: Vec<LockedPlatform>,
    /// The manifests to which the index gives no platform, in the index's order.
    /// containerd reads all of them at every import.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unplaced: Vec<Descriptor>,
    /// The signature that its signer in the spec made, if the spec names one. Locks of earlier
    /// versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<LockedSignature>,
    /// Why it is in the bundle.
    pub why: Vec<Why>,
}

/// One platform of an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LockedPlatform {
    /// The nodes' architecture. The operating system is always Linux.
    pub architecture: Architecture,
    /// The image manifest. It equals the image's root if there is no index.
    pub manifest: Descriptor,
    /// The image's configuration blob.
    pub config: Descriptor,
    /// Its layers, the lowest first.
    pub layers: Vec<Descriptor>,
}
