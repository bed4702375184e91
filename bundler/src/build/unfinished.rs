//! A file that is being written. It has a temporary name in its final folder, and is
//! locked against other processes until it gets its final name.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use bundle_format::durable;

/// The permission bits of a new file; the umask may remove some. Nobody should carry
/// a file to a site that others can write.
pub(super) const MODE: u32 = 0o644;
/// The permission bits of a new program.
pub(super) const PROGRAM: u32 = 0o755;

/// An unfinished file. It is removed if it is dropped unfinished.
#[derive(Debug)]
pub(super) struct Unfinished {
    inner: durable::Unfinished,
    mode: u32,
}

impl Unfinished {
    /// Creates `.NAME.partial` for a large file `target`. Its lock lasts until it is dropped,
    /// so no other process's file can have its name. If its process was killed, the next one
    /// removes it.
    pub(super) fn create(target: &Path) -> io::Result<Self> {
        Ok(Self { inner: durable::Unfinished::held(target, MODE)?, mode: MODE })
    }

    /// Creates the file for a `target` that is written at once, under a name that nobody can
    /// guess, with these permission bits less the umask.
    pub(super) fn at_once(target: &Path, mode: u32) -> io::Result<Self> {
        Ok(Self { inner: durable::Unfinished::beside(target, mode)?, mode })
    }

    /// Its present path.
    pub(super) fn path(&self) -> &Path {
        self.inner.path()
    }

    /// The open file, for writing.
    pub(super) fn file(&mut self) -> &mut File {
        self.inner.file()
    }

    /// Gives the file its final name. It keeps the permissions of the file that
    /// it replaces. If it is a program, whoever may read it may also run it.
    pub(super) fn finish(mut self, target: &Path) -> io::Result<()> {
        match fs::symlink_metadata(target) {
            Ok(old) if old.is_file() => {
                let old = old.mode() & 0o7777;
                let run = if self.mode == PROGRAM { (old & 0o444) >> 2 } else { 0 };
                self.file().set_permissions(Permissions::from_mode(old | run))?;
            }
            _ => {}
        }
        self.inner.finish(target)
    }
}
