//! What is pushed.

use std::path::Path;

use bundle_format::archive::reader::Bundle;
use distribution::site::Address;
use distribution::site::Site;

use super::mirror::Mirror;
use crate::fetch::cache::Cache;

/// What is pushed, and where to.
pub struct Task<'a> {
    /// The bundle.
    pub bundle: &'a Bundle,
    /// Its file.
    pub path: &'a Path,
    /// Where it goes.
    pub address: &'a Address,
    /// The way there.
    pub site: &'a Site,
    /// Where its images go, loose, if they do.
    pub mirror: Option<&'a Mirror>,
    /// Whether tags may be replaced that name something else.
    pub replace: bool,
    /// Keeps notes of uploads.
    pub cache: &'a Cache,
    /// Whether no progress is shown.
    pub quiet: bool,
}
