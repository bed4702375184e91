//! What a change is of.

use serde::Serialize;

/// Something that two locks may have in different versions. The order is the one in which a
/// person should read changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Subject {
    /// Its kind.
    #[serde(skip)]
    pub kind: Kind,
    /// Its name: `rpm el9-x86_64 kubelet.x86_64`, `image registry.k8s.io/pause`, ….
    pub what: String,
    /// Whether it is a release on the way, or something that only such a release has.
    #[serde(skip)]
    pub of_hop: bool,
}

/// The kind of a [`Subject`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A check that is off.
    Check,
    /// A release of Kubernetes or containerd, or the sandbox image.
    Release,
    /// What is known of a target.
    Target,
    /// A repository: its place, its metadata, its keys.
    Repository,
    /// A setting of the cluster.
    Cluster,
    /// A package.
    Package,
    /// An image.
    Image,
    /// A manifest.
    Manifest,
    /// A key, an installer, a local file, or a file that the build makes.
    File,
    /// A warning.
    Warning,
    /// A field of the lock, if all of these are the same.
    Field,
}

impl Subject {
    /// Something that the bundle's own release has.
    pub(crate) fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), of_hop: false }
    }
}
