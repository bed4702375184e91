//! The receipt: the journal of what was changed on a node. A line is on the disk
//! before the change that it tells of is made, so that whatever ends this
//! program leaves a node of which it is known what was done to it.

mod line;

use std::fmt::Display;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bundle_format::{Digest, input};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::failure::Failure;
use crate::whole_file::write_whole;

pub use self::line::{
    Before, Deed, Line, Replaced, commands, finished, first, interrupted, remaining,
};

/// Where a node keeps it, and what else is the installer's own.
pub const FOLDER: &str = "/var/lib/kubeferry";

/// Its file there.
pub const FILE: &str = "receipt.jsonl";

/// The version of its shape that this code writes and reads.
const VERSION: u32 = 1;

/// The most bytes of one. A thousand runs leave a hundredth of it.
const LARGEST: u64 = 256 << 20;

/// A node's receipt, open. Only one process has it at a time.
pub struct Receipt {
    folder: PathBuf,
    file: File,
    lines: Vec<Line>,
}

impl Receipt {
    /// Opens the receipt in `folder`, which is made where it is absent.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let reading = || format!("opening the receipt in {}", folder.display());
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder.join("before"))
            .with_context(reading)?;
        let path = folder.join(FILE);
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
            .with_context(reading)?;
        if !file.metadata().with_context(reading)?.is_file() {
            bail!("{} is no regular file; move it away", path.display());
        }
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => {
                bail!("another installer is at work on this node; wait until it has ended")
            }
            locked => locked.with_context(reading)?,
        }
        // One that a reset has removed since it was opened is nobody's.
        let same = fs::metadata(&path).is_ok_and(|now| {
            file.metadata().is_ok_and(|own| (now.dev(), now.ino()) == (own.dev(), own.ino()))
        });
        if !same {
            bail!("another installer has just reset this node; run this again");
        }
        let mut receipt = Self { folder: folder.to_owned(), file, lines: Vec::new() };
        let bytes = input::file(&path, LARGEST).with_context(reading)?;
        let whole = whole_lines(&bytes);
        receipt.lines = parse(whole).with_context(|| format!("reading {}", path.display()))?;
        receipt.file.set_len(whole.len() as u64).with_context(reading)?;
        if receipt.lines.is_empty() {
            receipt.add(Line::Receipt { version: VERSION })?;
        }
        Ok(receipt)
    }

    /// Reads the receipt in `folder` without changing anything; none where there
    /// is none.
    pub fn read(folder: &Path) -> anyhow::Result<Option<Vec<Line>>> {
        let path = folder.join(FILE);
        match input::file(&path, LARGEST) {
            Ok(bytes) => {
                let lines = parse(whole_lines(&bytes));
                lines.map(Some).with_context(|| format!("reading {}", path.display()))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(Failure::new(
                format!("only root may read {}", path.display()),
                "run this by `sudo`, or as root",
            )
            .into()),
            Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
        }
    }

    /// All lines, the oldest first.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Writes a line, which is on the disk when this returns.
    pub fn add(&mut self, line: Line) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec(&line).context("writing the receipt")?;
        text.push(b'\n');
        let end = self.file.metadata().map(|file| file.len());
        let written = self.file.write_all(&text).and_then(|()| self.file.sync_data());
        if let (Err(_), Ok(end)) = (&written, end) {
            // The next line must not be appended to half of this one.
            drop(self.file.set_len(end));
        }
        written.with_context(|| format!("writing the receipt in {}", self.folder.display()))?;
        self.lines.push(line);
        Ok(())
    }

    /// Keeps a file's text for the day the node is reset; gives its name.
    pub fn keep(&self, text: &[u8]) -> anyhow::Result<String> {
        let name = Digest::of(text).hex();
        let path = self.folder.join("before").join(&name);
        if !path.exists() {
            write_whole(&path, text, 0o600)
                .with_context(|| format!("keeping a copy in {}", path.display()))?;
        }
        Ok(name)
    }
}

/// What follows the last line break was being written when the power went: the
/// change that it tells of was not made.
fn whole_lines(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    bytes.get(..end).unwrap_or_default()
}

fn damaged(number: usize, reason: &dyn Display) -> Failure {
    Failure::new(
        format!("line {} is damaged: {reason}", number + 1),
        "what lies in that folder is all that is known of what was done to this node: keep a copy \
         of it elsewhere. With the damaged line taken out, `installer reset` takes back the rest",
    )
}

fn parse(bytes: &[u8]) -> anyhow::Result<Vec<Line>> {
    let mut lines = Vec::new();
    for (number, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let version = serde_json::from_slice::<serde_json::Value>(line)
            .ok()
            .and_then(|line| line.get("version")?.as_u64());
        if number == 0 && version.is_some_and(|version| version != u64::from(VERSION)) {
            bail!("it was written by another version of this program; use that one");
        }
        let line = serde_json::from_slice(line).map_err(|error| damaged(number, &error));
        lines.push(line?);
    }
    if lines.first().is_some_and(|line| !matches!(line, Line::Receipt { .. })) {
        return Err(damaged(0, &"it is not how a receipt begins").into());
    }
    Ok(lines)
}
