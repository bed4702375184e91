//! Looking at a node's files.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::Context;
use bundle_format::input;
use rustix::process::geteuid;

use super::Host;
use crate::failure::Failure;

/// The largest file that is read whole, in bytes: a hundred times a kernel's list of
/// modules.
const LARGEST: u64 = 64 << 20;

impl Host {
    /// A file's text, to look at; none if there is no such file.
    pub fn read(&self, path: impl AsRef<Path>) -> anyhow::Result<Option<String>> {
        Ok(self.bytes(path)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// A file's text, to edit. Refused if it is not UTF-8, because a new text
    /// would lose bytes.
    pub fn text(&self, path: impl AsRef<Path>) -> anyhow::Result<Option<String>> {
        let Some(bytes) = self.bytes(&path)? else { return Ok(None) };
        let text = String::from_utf8(bytes).map_err(|_| {
            Failure::new(
                format!("{} has bytes that are not UTF-8", path.as_ref().display()),
                "convert it, for example with `iconv -f latin1 -t utf8`",
            )
        })?;
        Ok(Some(text))
    }

    /// A file's bytes; none if there is no such file.
    pub fn bytes(&self, path: impl AsRef<Path>) -> anyhow::Result<Option<Vec<u8>>> {
        let real = self.path(&path);
        match input::file(&real, LARGEST) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if is_absence(&error) => Ok(None),
            Err(error) => Err(error).with_context(|| format!("reading {}", real.display())),
        }
    }

    /// Whether there is anything of that name. True also if that cannot be seen:
    /// whoever then reads it gets the error.
    pub fn exists(&self, path: impl AsRef<Path>) -> bool {
        !self.path(path).symlink_metadata().is_err_and(|error| is_absence(&error))
    }

    /// The names in a folder, sorted; none if there is no such folder.
    pub fn list(&self, path: impl AsRef<Path>) -> anyhow::Result<Vec<String>> {
        let real = self.path(path);
        let names = || {
            let names = fs::read_dir(&real)?
                .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
            names.collect::<io::Result<Vec<String>>>()
        };
        match names() {
            Ok(mut names) => {
                names.sort();
                Ok(names)
            }
            Err(error) if is_absence(&error) => Ok(Vec::new()),
            Err(error) => Err(error).with_context(|| format!("reading {}", real.display())),
        }
    }

    /// Whether a path has no file below it: it is absent, or has only folders.
    pub fn has_no_file(&self, path: impl AsRef<Path>) -> anyhow::Result<bool> {
        let path = path.as_ref();
        for name in self.list(path)? {
            let inner = path.join(name);
            // A link counts as a file: its target is not ours to empty.
            let kind = self.path(&inner).symlink_metadata();
            if !kind.is_ok_and(|kind| kind.is_dir()) || !self.has_no_file(&inner)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The permission bits of a file or folder; none if it does not exist.
    pub fn mode(&self, path: impl AsRef<Path>) -> anyhow::Result<Option<u32>> {
        Ok(self.metadata(path)?.map(|found| found.mode() & 0o7777))
    }

    /// Whether only the user who runs this can read a file.
    pub fn is_private(&self, path: impl AsRef<Path>) -> anyhow::Result<bool> {
        let own = geteuid().as_raw();
        let found = self.metadata(path)?;
        Ok(found.is_some_and(|found| found.mode() & 0o7777 == 0o600 && found.uid() == own))
    }

    fn metadata(&self, path: impl AsRef<Path>) -> anyhow::Result<Option<Metadata>> {
        let real = self.path(path);
        match fs::metadata(&real) {
            Ok(found) => Ok(Some(found)),
            Err(error) if is_absence(&error) => Ok(None),
            Err(error) => Err(error).with_context(|| format!("looking at {}", real.display())),
        }
    }
}

pub(super) fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
