//! What a lock is made from.

use std::time::SystemTime;

use super::kept::Kept;
use crate::spec::SpecFile;
use crate::upstreams::Upstreams;

/// What `lock` needs: the spec, the lock before, and the ways to the sources.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    /// The spec.
    pub file: &'a SpecFile,
    /// What stays from the lock before, if anything.
    pub kept: Option<&'a Kept<'a>>,
    /// The ways to everything else.
    pub upstreams: &'a Upstreams,
    /// The time at which signatures must be valid.
    pub now: SystemTime,
}
