//! The lock beside a spec.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bundle_format::bounds::MAX_LOCK;
use bundle_format::text::count;
use bundle_format::{Lock, input, layout};

use super::print;
use crate::build::write_file;

/// `bundle.yaml` → `bundle.yaml.lock.json`.
pub(super) fn path_of(spec: &Path) -> PathBuf {
    let mut name = spec.as_os_str().to_owned();
    name.push(".lock.json");
    PathBuf::from(name)
}

/// Reads a lock that was written before.
pub(super) fn read(path: &Path) -> anyhow::Result<Lock> {
    let kind = path.metadata().map_err(|error| error.kind());
    if kind.is_err_and(|kind| kind == ErrorKind::NotFound) {
        bail!("there is no {}: run `bundler lock`", path.display());
    }
    let read = || -> anyhow::Result<Lock> {
        let bytes = input::file(path, MAX_LOCK)?;
        Lock::parse(&bytes).context("run `bundler lock` to make it again")
    };
    read().with_context(|| format!("reading {}", path.display()))
}

/// Writes a lock, and prints what is in it.
pub(super) fn write(path: &Path, lock: &Lock) -> anyhow::Result<()> {
    write_file(path, &layout::lock_bytes(lock)?)?;
    for warning in &lock.warnings {
        print::notice(&format!("warning: {warning}"));
    }
    let hops: Vec<&str> = lock.hops.iter().map(|hop| hop.kubernetes.as_str()).collect();
    let hops = match hops.as_slice() {
        [] => String::new(),
        hops => format!(", and the hops {}", hops.join(", ")),
    };
    print::notice(&format!(
        "locked {}, {}, {}{hops} in {}",
        count(lock.rpms.len(), "package"),
        count(lock.images.len(), "image"),
        count(lock.manifests.len(), "manifest"),
        path.display()
    ));
    Ok(())
}
