//! Keys, installers, charts, and the local files that a lock was made from.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::descriptor::Descriptor;
use crate::bundle_path::BundlePath;
use crate::digest::Digest;

/// A single file in the bundle that has no type of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LockedFile {
    /// Its kind.
    pub kind: FileKind,
    /// Its path in the bundle.
    #[serde(rename = "title")]
    pub path: BundlePath,
    /// Where it comes from.
    pub source: FileSource,
    /// Its digest, size and type.
    pub content: Descriptor,
}

/// The kind of a [`LockedFile`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// A public key that packages are signed with.
    Key,
    /// The installer for an architecture.
    Installer,
    /// A Helm chart that a manifest was made from, packed.
    Chart,
}

/// Where a [`LockedFile`] comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum FileSource {
    /// A URL or a path, as the spec has it.
    Named(String),
    /// The file `installer` beside the program `bundler`. Its path is left out,
    /// because a lock holds no path of the machine that made it.
    BesideBundler,
}

/// How a lock writes [`FileSource::BesideBundler`].
const BESIDE_BUNDLER: &str = "beside bundler";

impl From<String> for FileSource {
    fn from(text: String) -> Self {
        match text.as_str() {
            BESIDE_BUNDLER => Self::BesideBundler,
            _ => Self::Named(text),
        }
    }
}

impl From<FileSource> for String {
    fn from(source: FileSource) -> Self {
        source.to_string()
    }
}

impl fmt::Display for FileSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Named(text) => text,
            Self::BesideBundler => BESIDE_BUNDLER,
        })
    }
}

/// A local file that the lock was made from: a key as it is on disk, a package list,
/// a mirror list, the certificate of an authority.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LockedInput {
    /// Its path as the spec has it.
    pub path: String,
    /// The digest of its bytes.
    pub digest: Digest,
}
