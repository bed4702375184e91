//! A blob, as all parts of a bundle name it.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// A blob by its digest (OCI image spec, `descriptor.md`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Descriptor {
    /// The media type, as the registry gives it.
    pub media_type: String,
    /// The blob's name.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}
