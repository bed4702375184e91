//! What a bundle is made from.

use std::collections::HashSet;
use std::path::Path;
use std::time::SystemTime;

use bundle_format::{Digest, Lock};

use crate::spec::SpecFile;
use crate::upstreams::Upstreams;

/// A lock, and the sources of everything that it lists.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    /// The spec.
    pub file: &'a SpecFile,
    /// The lock of the spec.
    pub lock: &'a Lock,
    /// The path of the lock.
    pub lock_path: &'a Path,
    /// The ways to everything else.
    pub upstreams: &'a Upstreams,
    /// What those have already who get the bundle: it is left out.
    pub had: &'a HashSet<Digest>,
    /// The time at which signatures must be valid.
    pub now: SystemTime,
    /// Whether no progress is shown.
    pub quiet: bool,
}
