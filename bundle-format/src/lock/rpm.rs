//! A package.

use serde::{Deserialize, Serialize};
use url::Url;

use super::why::Why;
use crate::bundle_path::BundlePath;
use crate::digest::Digest;
use crate::nevra::Nevra;

/// One RPM.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LockedRpm {
    /// The target whose nodes it is for: a [`LockedTarget::id`](crate::lock::LockedTarget::id).
    pub target: String,
    /// Its name, version and architecture.
    pub package: Nevra,
    /// The repository it comes from: a [`LockedRepository::id`](crate::lock::LockedRepository::id).
    pub repository: String,
    /// The URL that it is fetched from.
    pub source: Url,
    /// Its size in bytes.
    pub size: u64,
    /// The digest of the whole file.
    pub digest: Digest,
    /// Why it is in the bundle.
    pub why: Vec<Why>,
}

impl LockedRpm {
    /// Its path in the bundle.
    pub fn path(&self) -> BundlePath {
        BundlePath::Rpm { target: self.target.clone(), file: self.package.file_name() }
    }
}
