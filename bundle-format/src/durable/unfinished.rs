//! A file that gets its name only when all of its bytes are on the disk.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A file under a temporary name. If it is dropped before it is finished, it is
/// removed.
#[derive(Debug)]
pub struct Unfinished {
    path: PathBuf,
    file: File,
    finished: bool,
}

impl Unfinished {
    /// Makes a new file at `path`, in the folder of the finished file. It has the
    /// permission bits `mode`, without those of the umask.
    pub fn create(path: PathBuf, mode: u32) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create_new(true).mode(mode).open(&path)?;
        Ok(Self::of(path, file))
    }

    /// Takes over a file that this process has made at `path`.
    pub fn of(path: PathBuf, file: File) -> Self {
        Self { path, file, finished: false }
    }

    /// The current path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file, to write to.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Waits until the bytes are on the disk, and then gives the file its name. A
    /// file that has this name is replaced.
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
