//! The documents that commands write to files, and which files they replace.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use anyhow::{Context, bail};
use bundle_format::output::existing_folder;

/// How many bytes of a file show what it is.
const HEAD: u64 = 256;

/// A document that a command writes to a file.
#[derive(Clone, Copy)]
pub(super) enum Document {
    /// The page of `bundler report`.
    Page,
    /// A bill of materials.
    Bill,
}

impl Document {
    /// Whether a file that begins so is such a document.
    fn begins(self, head: &[u8]) -> bool {
        match self {
            Self::Page => head.starts_with(b"<!DOCTYPE html>"),
            Self::Bill => head.windows(9).any(|part| part == b"CycloneDX"),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Bill => "bill of materials",
        }
    }
}

/// Fails if a document cannot be written to `path`, before the work for it is done. A file is
/// replaced only by a document of its kind: a bundle, a key or a signature that somebody names
/// by mistake is not lost.
pub(super) fn check_output(path: &Path, document: Document) -> anyhow::Result<()> {
    let writing = || format!("writing {}", path.display());
    let found = match path.metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return existing_folder(path).map(drop).with_context(writing);
        }
        found => found.with_context(writing)?,
    };
    if found.is_dir() {
        bail!("{} is a folder: name a file in it for --output", path.display());
    }
    if !found.is_file() {
        return Ok(());
    }
    let mut head = Vec::new();
    let file = File::open(path).with_context(writing)?;
    file.take(HEAD).read_to_end(&mut head).with_context(writing)?;
    if !head.is_empty() && !document.begins(&head) {
        bail!(
            "{} exists, and it is no {}: name another file for --output",
            path.display(),
            document.words()
        );
    }
    Ok(())
}
