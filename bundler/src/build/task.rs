//! What a bundle is to be made of.

use std::path::Path;
use std::time::SystemTime;

use bundle_format::Lock;

use crate::spec::SpecFile;
use crate::upstreams::Upstreams;

/// A lock, and where all that it lists is.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    /// What is wanted.
    pub file: &'a SpecFile,
    /// What exactly that is.
    pub lock: &'a Lock,
    /// Where the lock is.
    pub lock_path: &'a Path,
    /// Where all else is.
    pub upstreams: &'a Upstreams,
    /// The time by which signatures count.
    pub now: SystemTime,
    /// Whether no progress is shown.
    pub quiet: bool,
}
