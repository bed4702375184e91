//! Whose is what is up: of a process, until that ends, or of nobody, until it is
//! brought down. What a killed process has left is cleared by the next.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::Context;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

/// Says that the process that holds it owns what is in a folder. The kernel drops it
/// for a process that is killed.
#[derive(Debug)]
pub(crate) struct Owner {
    _lock: File,
}

impl Owner {
    /// Makes this process the owner, unless another is. The lock is beside the folder,
    /// which may be removed meanwhile.
    pub(crate) fn of(folder: &Path) -> anyhow::Result<Option<Self>> {
        let path = folder.with_extension("owner");
        let lock = File::create(&path).with_context(|| format!("opening {}", path.display()))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Self { _lock: lock })),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error).with_context(|| format!("locking {}", path.display())),
        }
    }
}

/// Notes that what is in the folder needs no owner.
pub(crate) fn keep(folder: &Path) -> anyhow::Result<()> {
    let path = kept(folder);
    fs::write(&path, "").with_context(|| format!("writing {}", path.display()))
}

/// Whether what is in the folder is left by a process that was killed.
pub(crate) fn is_left(folder: &Path) -> anyhow::Result<bool> {
    Ok(!kept(folder).exists() && Owner::of(folder)?.is_some())
}

fn kept(folder: &Path) -> PathBuf {
    folder.join("kept")
}
