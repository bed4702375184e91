//! A node's files, to look at.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::Host;
use crate::failure::Failure;

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
                format!("{} has letters in it that are not UTF-8", path.as_ref().display()),
                "write them anew, or `iconv -f latin1 -t utf8` them",
            )
        })?;
        Ok(Some(text))
    }

    /// What a file holds; none where there is no such file.
    pub fn bytes(&self, path: impl AsRef<Path>) -> anyhow::Result<Option<Vec<u8>>> {
        let real = self.path(&path);
        match fs::read(&real) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if is_absence(&error) => Ok(None),
            Err(error) => Err(error).with_context(|| format!("reading {}", real.display())),
        }
    }

    /// Where a file is that is to be written: links are followed, so that they
    /// stay. Refuses what is no file.
    pub fn file(&self, path: impl AsRef<Path>) -> anyhow::Result<PathBuf> {
        let mut at = path.as_ref().to_owned();
        // As many as the kernel follows (path_resolution(7)).
        for _ in 0..40 {
            let Ok(to) = fs::read_link(self.path(&at)) else { break };
            at = at.parent().unwrap_or(Path::new("/")).join(to);
        }
        match self.path(&at).symlink_metadata() {
            Ok(meta) if !meta.is_file() => Err(Failure::new(
                format!("{} leads to {}, which is no file", path.as_ref().display(), at.display()),
                "move it away: a file is to be written there",
            )
            .into()),
            _ => Ok(at),
        }
    }

    /// Whether there is anything of that name.
    pub fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.path(path).symlink_metadata().is_ok()
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

    /// A file's permission bits.
    pub fn mode(&self, path: impl AsRef<Path>) -> Option<u32> {
        Some(fs::metadata(self.path(path)).ok()?.permissions().mode() & 0o7777)
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
