//! A package as a repository's metadata describes it.

use bundle_format::Nevra;
use url::Url;

use super::dependency::{Capability, Dependency};
use crate::fetch::checksum::Checksum;

/// One entry of `primary.xml`.
#[derive(Clone, Debug)]
pub struct Package {
    /// Its name, version and architecture.
    pub nevra: Nevra,
    /// The URL of its file.
    pub source: Url,
    /// The file's size in bytes.
    pub size: u64,
    /// The file's checksum.
    pub checksum: Checksum,
    /// What it provides besides files. Its own name is included.
    pub provides: Vec<Capability>,
    /// What it requires.
    pub requires: Vec<Dependency>,
    /// What it cannot be installed with.
    pub conflicts: Vec<Dependency>,
    /// The packages that it replaces, by name.
    pub obsoletes: Vec<Capability>,
    /// Dependencies that make other packages a better choice.
    pub weak: Weak,
    /// Its files: those in `primary.xml`, or all of them if `filelists.xml` was
    /// read.
    pub files: Vec<String>,
}

/// Dependencies that add no package.
#[derive(Clone, Debug, Default)]
pub struct Weak {
    /// `Recommends:`
    pub recommends: Vec<Dependency>,
    /// `Suggests:`
    pub suggests: Vec<Dependency>,
    /// `Supplements:`, a `Recommends:` in the other direction.
    pub supplements: Vec<Dependency>,
    /// `Enhances:`, a `Suggests:` in the other direction.
    pub enhances: Vec<Dependency>,
}
