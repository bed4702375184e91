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

impl LockedRpm {
    /// Where in the bundle it lies.
    pub fn path(&self) -> BundlePath {
        BundlePath::Rpm { target: self.target.clone(), file: self.package.file_name() }
    }
}
