//! A file that gets its name when it is on the disk in full.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A file under a name of its own. It is removed when it is dropped without having
/// been finished.
#[derive(Debug)]
pub struct Unfinished {
    path: PathBuf,
    file: File,
    finished: bool,
}

impl Unfinished {
    /// Makes a new file at `path`, in the folder where the finished one will be. It
    /// has the permission bits `mode`, less the umask.
    pub fn create(path: PathBuf, mode: u32) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create_new(true).mode(mode).open(&path)?;
        Ok(Self::of(path, file))
    }

    /// Takes over a file that this process has made at `path`.
    pub fn of(path: PathBuf, file: File) -> Self {
        Self { path, file, finished: false }
    }

    /// Its name now.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its bytes, to be written.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Gives it its name, in place of what has that, as soon as its bytes are on the
    /// disk.
    pub fn finish(mut self, name: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, name)?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.finished {
            drop(fs::remove_file(&self.path));
        }
    }
}
