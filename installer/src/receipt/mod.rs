//! The receipt: the journal of all changes to a node. A line is on the disk before
//! its change is made. So whatever ends this program, the receipt knows what was done
//! to the node.

pub mod firewalld;
mod intention;
mod line;
mod older;
mod open_upgrade;
mod step;
mod upgrade;

use std::fmt::Display;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bundle_format::durable::{Lock, lock};
use bundle_format::{Digest, input};
use serde::Deserialize;

use crate::failure::Failure;
use crate::files::whole::write_whole;

pub use self::intention::Intention;
pub use self::line::{
    Before, Deed, Line, Replaced, Signing, commands, finished, first, intentions, interrupted,
    remaining, remaining_of_steps,
};
pub use self::open_upgrade::{returned, since_upgrade, upgrade};
pub use self::step::StepName;
pub use self::upgrade::{Stage, Upgrade};

/// The folder of the receipt, and of other files of the installer.
pub const FOLDER: &str = "/var/lib/kubeferry";

/// The receipt's file name.
pub const FILE: &str = "receipt.jsonl";

/// The folder of files as they were before, named by their digests.
const COPIES: &str = "before";

/// The beginning of each line.
const BEGINNING: &[u8] = b"{\"line\":\"";

/// The longest line, in bytes: the kernel accepts no longer command.
const LONGEST: usize = 2 << 20;

/// The version of the format that this code reads and writes.
const VERSION: u32 = 1;

/// The largest receipt that is read, in bytes: a hundred times what a thousand runs
/// write.
const LARGEST: u64 = 256 << 20;

/// A node's open receipt. Only one process has it open.
pub struct Receipt {
    folder: PathBuf,
    file: File,
    lines: Vec<Line>,
}

impl Receipt {
    /// Opens the receipt in `folder`, or makes it.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(FILE);
        if Self::read(folder)?.is_none() {
            begin(folder).map_err(|error| unwritable(error, folder))?;
        }
        let reading = || format!("opening the receipt in {}", folder.display());
        let opened = OpenOptions::new().read(true).append(true).open(&path);
        let file = opened.map_err(|error| unwritable(error, folder))?;
        match lock(&file, &path).with_context(reading)? {
            Lock::Taken => {}
            Lock::Busy => {
                bail!("another installer is at work on this node; wait until it has ended")
            }
            // A reset removed the file after it was opened.
            Lock::Moved => bail!("another installer has just reset this node; run this again"),
        }
        let bytes = input::file(&path, LARGEST).with_context(reading)?;
        let (lines, whole) =
            parse(&bytes).with_context(|| format!("reading {}", path.display()))?;
        let receipt = Self { folder: folder.to_owned(), file, lines };
        if whole < bytes.len() {
            let cut = receipt.file.set_len(whole as u64).and_then(|()| receipt.file.sync_all());
            cut.map_err(|error| unwritable(error, folder))?;
        }
        make_copies(folder).map_err(|error| unwritable(error, folder))?;
        Ok(receipt)
    }

    /// Reads the receipt in `folder`; none if there is none. Changes nothing.
    pub fn read(folder: &Path) -> anyhow::Result<Option<Vec<Line>>> {
        let path = folder.join(FILE);
        let reading = || format!("reading {}", path.display());
        match input::file(&path, LARGEST) {
            Ok(bytes) => parse(&bytes).map(|(lines, _)| Some(lines)).with_context(reading),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // The receipt is made before this folder.
                if folder.join(COPIES).exists() {
                    let copies = folder.join(COPIES);
                    let what =
                        format!("{} is gone, and {} is not", path.display(), copies.display());
                    return Err(lost(what).into());
                }
                Ok(None)
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(Failure::new(
                format!("only root may read {}", path.display()),
                "run this with `sudo`, or as root",
            )
            .into()),
            Err(error) => Err(error).with_context(reading),
        }
    }

    /// All lines, the oldest first.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Appends a line. It is on the disk when this returns.
    pub fn add(&mut self, line: Line) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec(&line).context("writing the receipt")?;
        text.push(b'\n');
        let end = self.file.metadata().map(|file| file.len());
        let written = self.file.write_all(&text).and_then(|()| self.file.sync_data());
        if let (Err(_), Ok(end)) = (&written, end) {
            // Cut the incomplete line off, so that the next one begins on
            // its own.
            drop(self.file.set_len(end));
        }
        written.map_err(|error| unwritable(error, &self.folder))?;
        self.lines.push(line);
        Ok(())
    }

    /// Keeps a file's text for a reset. Returns its name.
    pub fn keep(&self, text: &[u8]) -> anyhow::Result<String> {
        let name = Digest::of(text).hex();
        let path = self.folder.join(COPIES).join(&name);
        // A power loss may have left an empty copy.
        if !fs::read(&path).is_ok_and(|kept| kept == text) {
            write_whole(&path, text, 0o600)
                .with_context(|| format!("keeping a copy in {}", path.display()))?;
        }
        Ok(name)
    }
}

/// A text that was kept in `folder`, by its name, which is its digest.
pub fn kept(folder: &Path, name: &str) -> anyhow::Result<Vec<u8>> {
    let path = folder.join(COPIES).join(name);
    let text = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
    if Digest::of(&text).hex() != name {
        return Err(Failure::new(
            format!("{} is damaged: it is not what was put there", path.display()),
            "restore the original file by hand, from a backup or from another node",
        )
        .into());
    }
    Ok(text)
}

/// Makes the receipt with its first line. The file gets its name after that line is
/// on the disk. So a receipt without it is damaged.
fn begin(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut text = serde_json::to_vec(&Line::Receipt { version: VERSION })?;
    text.push(b'\n');
    // Each process writes a file of its own. The first one to finish gives it the
    // name.
    let partial = folder.join(format!("{FILE}.{}", std::process::id()));
    drop(fs::remove_file(&partial));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial)?;
    let named = file.write_all(&text).and_then(|()| file.sync_all()).and_then(|()| {
        match fs::hard_link(&partial, folder.join(FILE)) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    });
    fs::remove_file(&partial)?;
    named?;
    File::open(folder)?.sync_all()?;
    folder.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

/// Makes the folder of kept texts. It is on the disk before a text is kept.
fn make_copies(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder.join(COPIES)) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.and_then(|()| File::open(folder)?.sync_all()),
    }
}

/// The failure if the receipt cannot be written. Without it, nothing is changed.
fn unwritable(error: io::Error, folder: &Path) -> Failure {
    let cure = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "make room on its disk, and run this again"
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            "`dmesg` may say why its disk can only be read; make it writable, and run this again"
        }
        io::ErrorKind::PermissionDenied => "run this with `sudo`, or as root",
        _ => "fix that, and run this again",
    };
    let what = format!("writing the receipt in {} failed", folder.display());
    Failure::new(what, cure).because(error.into())
}

fn damaged(number: usize, reason: &dyn Display) -> Failure {
    Failure::new(
        format!("line {} is damaged: {reason}", number + 1),
        "that folder has all that is known about the changes to this node: copy it to another \
         place first. Without the damaged line, `installer reset` takes back the rest",
    )
}

/// The failure if the receipt is lost.
fn lost(what: impl Into<String>) -> Failure {
    Failure::new(
        what,
        "if you have a copy of the receipt, put it there. If not, the changes to this node are \
         unknown: move that folder away (its `before` has the old files), and install the node's \
         system again",
    )
}

/// All lines, and the length of the text that they take, in bytes. The rest is a line
/// that was being written when the power failed: the beginning of a line, zeros, or
/// both. Its change was not made.
fn parse(bytes: &[u8]) -> anyhow::Result<(Vec<Line>, usize)> {
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let (text, rest) = bytes.split_at(whole);
    let mut lines = Vec::new();
    for (number, line) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
        if number == 0 && version(line).is_some_and(|version| version != u64::from(VERSION)) {
            bail!("it was written by another version of this program; use that one");
        }
        let line: Line = serde_json::from_slice(line).map_err(|error| {
            unknown(number, line, &error).unwrap_or_else(|| damaged(number, &error))
        })?;
        if matches!(line, Line::Receipt { .. }) != (number == 0) {
            let what = if number == 0 { "how a receipt begins" } else { "the first" };
            return Err(damaged(number, &format!("it is not {what}")).into());
        }
        lines.push(line);
    }
    let is_empty = bytes.iter().all(|byte| *byte == 0);
    if lines.is_empty() {
        let what = if is_empty { "it is empty" } else { "its first line is cut short" };
        return Err(lost(what).into());
    }
    if !is_torn(rest) {
        return Err(damaged(lines.len(), &"it is no line").into());
    }
    Ok((lines, whole))
}

/// The failure if a whole line is not one of this version: most likely another version
/// wrote it. Nobody should remove such a line.
fn unknown(number: usize, line: &[u8], error: &serde_json::Error) -> Option<Failure> {
    let value: serde_json::Value = serde_json::from_slice(line).ok()?;
    value.get("line")?;
    let step = value.get("step").filter(|step| StepName::deserialize(*step).is_err());
    let what = match step {
        Some(step) => format!("the step {step}"),
        None => format!("what line {} says: {error}", number + 1),
    };
    Some(Failure::new(
        format!("this version of the installer does not know {what}"),
        "use the version that this node was last changed with",
    ))
}

/// The version in the first line, whatever else that line has.
fn version(line: &[u8]) -> Option<u64> {
    serde_json::from_slice::<serde_json::Value>(line).ok()?.get("version")?.as_u64()
}

/// Whether this can be what a power loss left of one line: its beginning, zeros, or
/// both.
fn is_torn(rest: &[u8]) -> bool {
    let begun = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
    let (begun, zeros) = rest.split_at(begun);
    rest.len() <= LONGEST
        && zeros.iter().all(|byte| *byte == 0)
        && begun.iter().zip(BEGINNING).all(|(one, other)| one == other)
}
