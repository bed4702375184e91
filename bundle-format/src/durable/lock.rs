//! Locking a file that may be renamed or removed, so that one process at a time uses
//! it.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

/// The result of asking for a file's lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// This process has it until it closes the file.
    Taken,
    /// Another process has it.
    Busy,
    /// The file no longer has this name, because the process that had the lock
    /// has renamed or removed it. If another file has the name now, it is not
    /// locked, and must not be touched.
    Moved,
}

/// Asks for the lock of `file`, which was opened at `path`. Does not wait.
pub fn lock(file: &File, path: &Path) -> io::Result<Lock> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => return Ok(Lock::Busy),
        Err(error) => return Err(error.into()),
    }
    let own = file.metadata()?;
    // A lock belongs to the file, not to its name.
    let is_named =
        fs::metadata(path).is_ok_and(|now| (now.dev(), now.ino()) == (own.dev(), own.ino()));
    Ok(if is_named { Lock::Taken } else { Lock::Moved })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_the_lock_and_the_next_learns_that_the_file_has_moved() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let first = File::create(&path).unwrap();
        let second = File::open(&path).unwrap();
        let third = File::open(&path).unwrap();
        assert_eq!(lock(&first, &path).unwrap(), Lock::Taken);
        assert_eq!(lock(&second, &path).unwrap(), Lock::Busy);
        fs::rename(&path, folder.path().join("done")).unwrap();
        drop(first);
        assert_eq!(lock(&second, &path).unwrap(), Lock::Moved);
        drop(second);
        File::create(&path).unwrap();
        assert_eq!(lock(&third, &path).unwrap(), Lock::Moved);
    }
}
