//! A file that is being written. It has a temporary name in its final folder, and is
//! locked against other processes until it gets its final name.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use bundle_format::durable::{self, Lock};
use rustix::fs::OFlags;
use rustix::io::Errno;

/// The permission bits of a new file; the umask may remove some. Nobody should carry
/// a file to a site that others can write.
pub(super) const MODE: u32 = 0o644;
/// The permission bits of a new program.
pub(super) const PROGRAM: u32 = 0o755;

/// An unfinished file, `.NAME.partial`. It is removed if it is dropped unfinished. If
/// its process was killed, the next one removes it.
#[derive(Debug)]
pub(super) struct Unfinished {
    /// The lock on it lasts until it is dropped, so no other process's file can
    /// have its name.
    inner: durable::Unfinished,
    mode: u32,
}

impl Unfinished {
    /// Creates the unfinished file for `target`.
    pub(super) fn create(target: &Path) -> io::Result<Self> {
        Self::with_mode(target, MODE)
    }

    /// The same, with these permission bits less the umask.
    pub(super) fn with_mode(target: &Path, mode: u32) -> io::Result<Self> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let path = target.with_file_name(format!(".{name}.partial"));
        let file = open(&path, mode)?;
        Ok(Self { inner: durable::Unfinished::of(path, file), mode })
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

/// Creates an empty file at `path`, and locks it.
fn open(path: &Path, mode: u32) -> io::Result<File> {
    loop {
        match File::options().read(true).write(true).create_new(true).mode(mode).open(path) {
            Ok(file) if hold(&file, path)? => return Ok(file),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => clear(path)?,
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

/// Locks `file` against other processes. False if `path` no longer names this file:
/// then its process has finished it, and it must not be changed.
fn hold(file: &File, path: &Path) -> io::Result<bool> {
    match durable::lock(file, path)? {
        Lock::Taken => Ok(true),
        Lock::Moved => Ok(false),
        Lock::Busy => {
            Err(io::Error::other("another process writes it; wait until that one has finished"))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn who_opened_it_before_it_was_finished_does_not_hold_what_was_finished() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("b.tar");
        let mut first = Unfinished::create(&target).unwrap();
        let path = first.path().to_owned();
        // The second build opens it now, and asks for the lock only later.
        let second = File::options().write(true).open(&path).unwrap();
        assert!(hold(&second, &path).unwrap_err().to_string().contains("another process"));
        first.file().write_all(b"bundle").unwrap();
        first.finish(&target).unwrap();
        assert!(!hold(&second, &path).unwrap());
        drop(second);
        // A third build starts again, and does not change it either.
        let third = Unfinished::create(&target).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"bundle");
        drop(third);
        assert_eq!(names(folder.path()), ["b.tar"]);
    }

    #[test]
    fn the_second_of_two_is_refused_and_leaves_the_first_alone() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("b.tar");
        let mut first = Unfinished::create(&target).unwrap();
        let error = Unfinished::create(&target).unwrap_err();
        assert!(error.to_string().contains("another process writes it"), "{error}");
        first.file().write_all(b"bundle").unwrap();
        first.finish(&target).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"bundle");
    }

    #[test]
    fn what_lies_there_is_thrown_away_or_named_and_never_followed() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("b.tar");
        let partial = folder.path().join(".b.tar.partial");
        let victim = folder.path().join("victim");
        fs::write(&victim, "precious").unwrap();
        fs::hard_link(&victim, &partial).unwrap();
        drop(Unfinished::create(&target).unwrap());
        std::os::unix::fs::symlink(&victim, &partial).unwrap();
        let error = Unfinished::create(&target).unwrap_err().to_string();
        assert!(error.contains("symbolic link"), "{error}");
        assert_eq!(fs::read(&victim).unwrap(), b"precious");
        fs::remove_file(&partial).unwrap();
        fs::create_dir(&partial).unwrap();
        let error = Unfinished::create(&target).unwrap_err().to_string();
        assert!(error.contains("is not a file"), "{error}");
    }
}
