//! Where a file is written, and whether it can be.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rustix::fs::{IFlags, ioctl_getflags};
use rustix::io::Errno;

use super::Host;
use super::look::is_absence;
use crate::failure::Failure;

impl Host {
    /// Where a file is written: links are followed, so that they stay links.
    /// Refused if it is not a regular file, or cannot be replaced.
    pub fn file(&self, path: impl AsRef<Path>) -> anyhow::Result<PathBuf> {
        let path = path.as_ref();
        let at = self.followed(path)?;
        match self.path(&at).symlink_metadata() {
            Ok(meta) if !meta.is_file() => {
                let what = if at == path {
                    format!("{} is no regular file", path.display())
                } else {
                    format!("{} leads to {}, which is not a file", path.display(), at.display())
                };
                Err(Failure::new(what, "move it away: the installer must write a file there")
                    .into())
            }
            Ok(_) => self.check_replaceable(&at).map(|()| at),
            Err(error) if is_absence(&error) => Ok(at),
            Err(error) => Err(error).with_context(|| format!("looking at {}", at.display())),
        }
    }

    /// The end of a chain of links, within the node. It may not exist.
    pub fn followed(&self, path: impl AsRef<Path>) -> anyhow::Result<PathBuf> {
        let mut at = path.as_ref().to_owned();
        // The kernel follows as many (path_resolution(7)).
        for _ in 0..40 {
            match fs::read_link(self.path(&at)) {
                Ok(to) => at = at.parent().unwrap_or(Path::new("/")).join(to),
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => break,
                Err(error) if is_absence(&error) => break,
                Err(error) => {
                    return Err(error).with_context(|| format!("reading {}", at.display()));
                }
            }
        }
        Ok(at)
    }

    /// Refuses a file that cannot be replaced by a rename. Files are replaced,
    /// never overwritten, so that a power loss leaves the old or the new text.
    fn check_replaceable(&self, path: &Path) -> anyhow::Result<()> {
        let shown = path.display();
        let mut places = [Some(path), path.parent()].into_iter().flatten();
        if let Some(locked) = places.find(|one| is_locked(&self.path(one))) {
            let locked = locked.display();
            return Err(Failure::new(
                format!("{shown} must be written, but {locked} is locked against any change"),
                format!(
                    "`lsattr -d {locked}` shows it; unlock it with `chattr -i -a {locked}`, and \
                     find out who locked it and why"
                ),
            )
            .into());
        }
        if self.mounts()?.iter().any(|mount| Path::new(mount) == path) {
            return Err(Failure::new(
                format!("{shown} must be written, but another file is mounted over it"),
                format!("`umount {shown}`, and remove whatever mounts it at boot"),
            )
            .into());
        }
        Ok(())
    }

    /// All mount points.
    pub fn mounts(&self) -> anyhow::Result<Vec<String>> {
        let mounts = self.read("/proc/mounts")?.unwrap_or_default();
        Ok(mounts.lines().filter_map(mount_point).collect())
    }
}

/// Whether `chattr +i` or `+a` is set. On file systems without these flags: no.
fn is_locked(real: &Path) -> bool {
    let flags = File::open(real).and_then(|file| Ok(ioctl_getflags(&file)?));
    flags.is_ok_and(|flags| flags.intersects(IFlags::IMMUTABLE | IFlags::APPEND))
}

/// The error for a file that was not written, with a plain reason where the system's
/// own is obscure.
pub(super) fn told(error: io::Error, path: &Path) -> anyhow::Error {
    let folder = path.parent().unwrap_or(path).display();
    let (what, cure) = match Errno::from_io_error(&error) {
        Some(Errno::ROFS) => (
            format!("{} is on a file system that is mounted read-only", path.display()),
            format!(
                "`findmnt --target {folder}` and `dmesg` say why; then make it writable with \
                 `mount --options remount,rw` and its mount point"
            ),
        ),
        Some(Errno::PERM) => (
            format!("{} is locked against any change", path.display()),
            format!(
                "look with `lsattr -d {folder} {}` and unlock it with `chattr -i -a`",
                path.display()
            ),
        ),
        _ => return anyhow::Error::new(error).context(format!("writing {}", path.display())),
    };
    Failure::new(what, cure).because(error.into()).into()
}

/// Reads a line of `/proc/mounts` (proc(5)): device, mount point, …
fn mount_point(line: &str) -> Option<String> {
    line.split_ascii_whitespace().nth(1).map(unescaped)
}

/// A path from a list of mounts, which writes a space as an octal number.
pub(crate) fn unescaped(path: &str) -> String {
    let mut parts = path.split('\\');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let number = part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match (number, part.get(3..)) {
            (Some(number), Some(rest)) => {
                text.push(number.into());
                text += rest;
            }
            _ => text += part,
        }
    }
    text
}
