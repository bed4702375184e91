//! A node's files, to look at.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::Context;
use bundle_format::input;
use rustix::process::geteuid;

use super::Host;
use crate::failure::Failure;

/// The most bytes of a file that is read whole: lists of a kernel's modules and of
/// a site's machines have a hundredth.
const LARGEST: u64 = 64 << 20;

impl Host {
    /// A file's text, to look at; none where there is no such file.
    pub fn read(&self, path: impl AsRef<Path>) -> anyhow::Result<Option<String>> {
        Ok(self.bytes(path)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// A file's text, to edit: refused where that would lose some of it.
    pub fn text(&self, path: impl AsRef<Path>) -> anyhow::Result<Option<String>> {
        let Some(bytes) = self.bytes(&path)? else { return Ok(None) };
        let text = String::from_utf8(bytes).map_err(|_| {
            Failure::new(
                format!("{} has bytes that are not UTF-8", path.as_ref().display()),
                "convert it, as by `iconv -f latin1 -t utf8`",
            )
        })?;
        Ok(Some(text))
    }

    /// What a file holds; none where there is no such file.
    pub fn bytes(&self, path: impl AsRef<Path>) -> anyhow::Result<Option<Vec<u8>>> {
        let real = self.path(&path);
        match input::file(&real, LARGEST) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if is_absence(&error) => Ok(None),
            Err(error) => Err(error).with_context(|| format!("reading {}", real.display())),
        }
    }

    /// Whether there is anything of that name. What cannot be looked at may be:
    /// who then asks more of it gets the reason.
    pub fn exists(&self, path: impl AsRef<Path>) -> bool {
        !self.path(path).symlink_metadata().is_err_and(|error| is_absence(&error))
    }

    /// The names in a folder, sorted; none where there is no such folder.
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

    /// Whether nothing but folders is below a path, or nothing at all.
    pub fn has_no_file(&self, path: impl AsRef<Path>) -> anyhow::Result<bool> {
        let path = path.as_ref();
        for name in self.list(path)? {
            let inner = path.join(name);
            // A link is a file: what it leads to is not ours to empty.
            let kind = self.path(&inner).symlink_metadata();
            if !kind.is_ok_and(|kind| kind.is_dir()) || !self.has_no_file(&inner)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A file's or a folder's permission bits; none where there is none.
    pub fn mode(&self, path: impl AsRef<Path>) -> anyhow::Result<Option<u32>> {
        Ok(self.metadata(path)?.map(|found| found.mode() & 0o7777))
    }

    /// Whether a file is for the eyes of who runs this only.
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
