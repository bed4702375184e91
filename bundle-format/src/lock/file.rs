//! Keys, installers, and the local files that a lock was made of.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::descriptor::Descriptor;
use crate::bundle_path::BundlePath;
use crate::digest::Digest;

/// A single file with no more structure of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LockedFile {
    /// What it is.
    pub kind: FileKind,
    /// Where in the bundle it lies.
    #[serde(rename = "title")]
    pub path: BundlePath,
    /// Where it comes from.
    pub source: FileSource,
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
}

/// Where a [`LockedFile`] comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum FileSource {
    /// Its URL, or its path, as the spec names it.
    Named(String),
    /// The file `installer` beside the program `bundler`: the path of a machine has no
    /// place in a lock.
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
