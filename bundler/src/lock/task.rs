//! What a lock is to be made of.

use std::time::SystemTime;

use super::kept::Kept;
use crate::spec::SpecFile;
use crate::upstreams::Upstreams;

/// What is asked, and of whom.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    /// What is wanted.
    pub file: &'a SpecFile,
    /// What stays as it was, if anything.
    pub kept: Option<&'a Kept<'a>>,
    /// Where all else is.
    pub upstreams: &'a Upstreams,
    /// The time by which signatures count.
    pub now: SystemTime,
}
