//! The largest sizes of a bundle's parts. A bundle may come from a stranger. With
//! these limits, the time to open any bundle grows only with its size, and it takes
//! less than 256 MB of memory. Real bundles are far smaller. `docs/bundle-format.md`
//! has the same numbers, and what they were measured with.

/// The largest `index.json`: that of 2,000 images has 2 MB.
pub const MAX_INDEX: u64 = 8 << 20;
/// The largest bundle manifest: that of 20,000 files has 7 MB.
pub const MAX_MANIFEST: u64 = 16 << 20;
/// The largest lock: that of 20,000 packages with their reasons has 20 MB.
pub const MAX_LOCK: u64 = 32 << 20;
/// The largest list of what a delta lacks: that of 80,000 blobs has 7 MB.
pub const MAX_ABSENT: u64 = 16 << 20;
/// The largest have-list: one of 80,000 blobs has 7 MB.
pub const MAX_HAVE: u64 = 16 << 20;
/// The most values and keys in one of these documents: a package has about 30.
pub const MAX_VALUES: usize = 1_000_000;
/// The most entries of the archive: 2,000 images of 30 blobs and 20,000 packages
/// have 80,000.
pub const MAX_ENTRIES: usize = 250_000;
/// The most targets of a lock: OS families times architectures.
pub const MAX_TARGETS: usize = 64;
/// The oldest minor release of Kubernetes that the installer upgrades. kubeadm's earlier
/// ones do some of it another way.
pub const OLDEST_UPGRADED: u32 = 28;
/// The most releases on the way to a bundle's own.
pub const MAX_HOPS: usize = 8;
/// The largest index, manifest or configuration of an image; registries refuse
/// larger ones.
pub const MAX_IMAGE_DOCUMENT: u64 = 8 << 20;
/// The largest file of Kubernetes YAML that is read; the largest published ones
/// have about 6 MB.
pub const MAX_YAML: u64 = 32 << 20;
/// The largest installer that is read, in bytes. Real ones have a few megabytes.
pub const MAX_INSTALLER: u64 = 256 << 20;
/// The largest software bill of materials: a package in an image takes 500 to 800 bytes, and a
/// bundle with 20 images has some thousands.
pub const MAX_SBOM: u64 = 256 << 20;
/// How many problems are reported.
pub const MAX_PROBLEMS: usize = 100;
