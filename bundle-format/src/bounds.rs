//! How large the parts of a bundle may be. What is read into memory is a
//! stranger's: with these bounds a bundle of any making is opened in time that
//! goes with its size, and in less than 256 MB. No real bundle comes near; the
//! numbers and what they are measured by stand in `docs/bundle-format.md` too.

/// The largest `index.json`: 2,000 images have one of 2 MB.
pub const MAX_INDEX: u64 = 8 << 20;
/// The largest bundle manifest: 20,000 files have one of 7 MB.
pub const MAX_MANIFEST: u64 = 16 << 20;
/// The largest lock: 20,000 packages with the reasons for them have one of 20 MB.
pub const MAX_LOCK: u64 = 32 << 20;
/// The most values and keys in one of these documents: a package has about 30.
pub const MAX_VALUES: usize = 1_000_000;
/// The most entries of the archive: 2,000 images of 30 blobs and 20,000 packages
/// have 80,000.
pub const MAX_ENTRIES: usize = 250_000;
/// The most targets of a lock: OS families times architectures.
pub const MAX_TARGETS: usize = 64;
/// The largest index, manifest or configuration of an image; registries refuse
/// larger ones.
pub const MAX_IMAGE_DOCUMENT: u64 = 8 << 20;
/// The largest file of Kubernetes YAML that is read; the largest published ones
/// have about 6 MB.
pub const MAX_YAML: u64 = 32 << 20;
/// How many problems are told.
pub const MAX_PROBLEMS: usize = 100;
