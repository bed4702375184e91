//! A new file that one process holds while it writes it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::process::geteuid;

use super::lock::{Lock, lock};

/// Creates an empty file at `path`, and locks it.
pub(super) fn open(path: &Path, mode: u32) -> io::Result<File> {
    loop {
        match File::options().read(true).write(true).create_new(true).mode(mode).open(path) {
            Ok(file) if hold(&file, path)? => return Ok(file),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                clear(path).map_err(|error| with_owner(path, error))?;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Removes the file that a killed process left. Follows no link and does not block,
/// because in a shared folder anybody may have put anything there.
fn clear(path: &Path) -> io::Result<()> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
            return Err(io::Error::other("there is a symbolic link; remove it"));
        }
        Err(error) => return Err(error),
    };
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("there is something that is not a file; remove it"));
    }
    if hold(&file, path)? { fs::remove_file(path) } else { Ok(()) }
}

/// The error, with whose file it is if that is another user's: in a folder that everybody may
/// write to, anybody can be there first.
fn with_owner(path: &Path, error: io::Error) -> io::Error {
    match fs::symlink_metadata(path) {
        Ok(found) if found.uid() != geteuid().as_raw() => io::Error::other(format!(
            "{} is there, which user {} made ({error}); remove it, or name a file in another \
             folder",
            path.display(),
            found.uid()
        )),
        _ => error,
    }
}

/// Locks `file` against other processes. False if `path` no longer names this file:
/// then its process has finished it, and it must not be changed.
pub(super) fn hold(file: &File, path: &Path) -> io::Result<bool> {
    match lock(file, path)? {
        Lock::Taken => Ok(true),
        Lock::Moved => Ok(false),
        Lock::Busy => {
            Err(io::Error::other("another process writes it; wait until that one has finished"))
        }
    }
}
