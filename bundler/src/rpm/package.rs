//! A package as a repository's metadata describes it.

use bundle_format::Nevra;
use url::Url;

use super::dependency::{Capability, Dependency};
use crate::fetch::checksum::Checksum;

/// One entry of `primary.xml`.
#[derive(Clone, Debug)]
pub struct Package {
    /// What it is.
    pub nevra: Nevra,
    /// Where its file is.
    pub source: Url,
    /// The file's size in bytes.
    pub size: u64,
    /// The file's checksum.
    pub checksum: Checksum,
    /// What it offers besides files; its own name among them.
    pub provides: Vec<Capability>,
    /// What it needs.
    pub requires: Vec<Dependency>,
    /// What it cannot stand beside.
    pub conflicts: Vec<Dependency>,
    /// The packages, by name, that it takes the place of.
    pub obsoletes: Vec<Capability>,
    /// What makes others a better or a worse choice beside it.
    pub weak: Weak,
    /// Its files: those of `primary.xml`, or all where `filelists.xml` was read.
    pub files: Vec<String>,
}

/// Dependencies that bring no package along.
#[derive(Clone, Debug, Default)]
pub struct Weak {
    /// `Recommends:`
    pub recommends: Vec<Dependency>,
    /// `Suggests:`
    pub suggests: Vec<Dependency>,
    /// `Supplements:`, a `Recommends:` from the other side.
    pub supplements: Vec<Dependency>,
    /// `Enhances:`, a `Suggests:` from the other side.
    pub enhances: Vec<Dependency>,
}
