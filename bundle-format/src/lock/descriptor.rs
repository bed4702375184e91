//! A blob, as every part of a bundle names it.

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
    /// Bytes.
    pub size: u64,
}
