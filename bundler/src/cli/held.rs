//! A bundle or a lock that the user names.

use std::io::Read;
use std::path::{Path, PathBuf};

use bundle_format::archive::reader::Bundle;
use bundle_format::input;
use bundle_format::lock::Lock;

use super::lock_file;
use crate::inspect::difference::Side;

/// A lock, alone or in a bundle.
pub(super) enum Held {
    Bundle(Box<Bundle>),
    Lock { lock: Box<Lock>, folder: PathBuf },
}

impl Held {
    /// Opens the bundle or lock at `path`. If `path` is a spec, opens the lock
    /// beside it.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let is_spec = path.extension().is_some_and(|end| end == "yaml" || end == "yml");
        let own = if is_spec { lock_file::path_of(path) } else { path.to_owned() };
        let is_lock = path.extension().is_some_and(|end| end == "json") || is_json(path);
        if !is_spec && !is_lock {
            return Ok(Self::Bundle(Box::new(Bundle::open(path)?)));
        }
        let folder = own.parent().unwrap_or(Path::new("")).to_owned();
        Ok(Self::Lock { lock: Box::new(lock_file::read(&own)?), folder })
    }

    pub(super) fn lock(&self) -> &Lock {
        match self {
            Self::Bundle(bundle) => bundle.lock(),
            Self::Lock { lock, .. } => lock,
        }
    }

    pub(super) fn bundle(&self) -> Option<&Bundle> {
        match self {
            Self::Bundle(bundle) => Some(bundle),
            Self::Lock { .. } => None,
        }
    }

    /// The folder of the files that the lock names, unless the lock comes from a
    /// bundle.
    pub(super) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Bundle(_) => None,
            Self::Lock { folder, .. } => Some(folder),
        }
    }

    pub(super) fn side(&self) -> Side<'_> {
        match self {
            Self::Bundle(bundle) => Side::Bundle(bundle),
            Self::Lock { lock, .. } => Side::Lock(lock),
        }
    }
}

/// Whether a file begins like a lock, and not like an archive.
fn is_json(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = input::open(path).and_then(|file| file.take(64).read_to_end(&mut start));
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&start);
    read.is_ok() && start.trim_ascii_start().starts_with(b"{")
}
