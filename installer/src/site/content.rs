//! One file that nodes need: sent where it was cut, checked, and named when it is whole.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use bundle_format::{Digest, input};

use super::FOLDER;
use super::connection::{Connection, said};
use super::progress::Progress;
use super::script;
use crate::failure::Failure;

/// How many bytes go at a time.
const PIECE: usize = 1 << 20;

/// A file on its way to nodes.
#[derive(Clone, Debug)]
pub struct Content {
    /// Where it is here.
    from: PathBuf,
    /// Where it is to be.
    pub to: String,
    /// Its length in bytes.
    pub size: u64,
    /// Its digest.
    pub digest: Digest,
    /// Its mode there, as chmod(1) reads it.
    mode: &'static str,
    /// Whether the folder's name pins it, so that its bytes are not read again each time.
    is_pinned: bool,
}

/// Where a file is on a node.
enum Have {
    Whole,
    Bytes(u64),
}

impl Content {
    /// A program, whose name has its digest.
    pub fn program(from: &Path, folder: &str) -> anyhow::Result<Self> {
        let (digest, size) = read(from)?;
        let name = digest.hex();
        let to = format!("{folder}/installer-{}", name.get(..16).unwrap_or_default());
        Ok(Self { from: from.to_owned(), to, size, digest, mode: "700", is_pinned: false })
    }

    /// A file of a folder whose name says what is in it. The folder is known when all its
    /// files are.
    pub fn file(from: &Path) -> anyhow::Result<Self> {
        let (digest, size) = read(from)?;
        let to = from.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { from: from.to_owned(), to, size, digest, mode: "600", is_pinned: true })
    }

    /// Puts it into a folder.
    pub(super) fn below(&mut self, folder: &str) {
        self.to = format!("{folder}/{}", self.to);
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        self.to.rsplit('/').next().unwrap_or_default()
    }

    /// How many bytes a node still needs.
    pub fn missing(&self, connection: &Connection<'_>) -> anyhow::Result<u64> {
        Ok(match self.have(connection)? {
            Have::Whole => 0,
            Have::Bytes(bytes) => self.size - bytes,
        })
    }

    fn have(&self, connection: &Connection<'_>) -> anyhow::Result<Have> {
        let digest = if self.is_pinned { "-".to_owned() } else { self.digest.hex() };
        let answer =
            said(connection.ask(script::HAVE, &[&self.to, &self.size.to_string(), &digest])?)?;
        match answer.trim() {
            "whole" => Ok(Have::Whole),
            bytes => {
                let bytes: u64 = bytes.parse().context("asking what has come of a file")?;
                // More than there are is not the beginning.
                Ok(Have::Bytes(if bytes > self.size { 0 } else { bytes }))
            }
        }
    }

    /// Sends what is missing. What was damaged on the way is sent once more.
    pub fn send(&self, connection: &Connection<'_>, tell: &dyn Fn(&str)) -> anyhow::Result<()> {
        for _ in 0..2 {
            let Have::Bytes(from) = self.have(connection)? else { return Ok(()) };
            self.send_from(connection, from, tell)?;
            if self.is_taken(connection)? {
                return Ok(());
            }
            tell(&format!("{} did not arrive as it is here", self.name()));
        }
        let cure = format!(
            "run `sha256sum {}` twice: if it says two things, that disk is broken; if not, the way is",
            self.from.display()
        );
        Err(Failure::new(format!("{} does not arrive as it is here", self.name()), cure).into())
    }

    /// Has a node take what is missing from another one, by a script that says how much has come.
    pub(super) fn take(
        &self,
        connection: &Connection<'_>,
        script: &str,
        arguments: &[&str],
        tell: &(dyn Fn(&str) + Sync),
    ) -> anyhow::Result<()> {
        let Have::Bytes(from) = self.have(connection)? else { return Ok(()) };
        let progress = Progress::new(self.name(), self.size, from);
        let size = self.size.to_string();
        let all = [&[self.to.as_str(), &size, FOLDER], arguments].concat();
        let each = |line: &str| {
            if let Some(bytes) = come(line) {
                progress.at(bytes, tell);
            }
        };
        let mut output = connection.follow(script, &all, None, &each)?;
        output.stderr = without_progress(&output.stderr);
        said(output)?;
        if !self.is_taken(connection)? {
            return Err(anyhow!("{} is damaged there, or on its way", self.name()));
        }
        progress.end(tell);
        Ok(())
    }

    /// Has what has come named. False if it was damaged, and is gone.
    fn is_taken(&self, connection: &Connection<'_>) -> anyhow::Result<bool> {
        let arguments = [&self.to, &self.digest.hex(), self.mode, FOLDER];
        match connection.answer(script::TAKE, &arguments)?.trim() {
            "taken" => Ok(true),
            "damaged" => Ok(false),
            other => Err(anyhow!("naming {} there said {other:?}", self.name())),
        }
    }

    fn send_from(
        &self,
        connection: &Connection<'_>,
        from: u64,
        tell: &dyn Fn(&str),
    ) -> anyhow::Result<()> {
        let mut file =
            input::open(&self.from).with_context(|| format!("opening {}", self.from.display()))?;
        file.seek(SeekFrom::Start(from)).context("reading on")?;
        let progress = Progress::new(self.name(), self.size, from);
        let mut input = |pipe: &mut dyn Write| copy(&mut file, from, pipe, &progress, tell);
        let arguments = [self.to.as_str(), &from.to_string(), FOLDER];
        let sent = connection.run(script::SEND, &arguments, Some(&mut input))?;
        said(sent).with_context(|| format!("copying {} failed", self.name()))?;
        progress.end(tell);
        Ok(())
    }
}

/// Copies what follows in a file.
fn copy(
    file: &mut File,
    from: u64,
    pipe: &mut dyn Write,
    progress: &Progress<'_>,
    tell: &dyn Fn(&str),
) -> io::Result<()> {
    let (mut sent, mut piece) = (from, vec![0; PIECE]);
    loop {
        let count = file.read(&mut piece)?;
        if count == 0 {
            return Ok(());
        }
        pipe.write_all(piece.get(..count).unwrap_or_default())?;
        sent += count as u64;
        progress.at(sent, tell);
    }
}

fn read(path: &Path) -> anyhow::Result<(Digest, u64)> {
    let reading = || format!("reading {}", path.display());
    let mut file = input::open(path).with_context(reading)?;
    Digest::of_reader(&mut file).with_context(reading)
}

/// How many bytes have come, as a line says.
fn come(line: &str) -> Option<u64> {
    line.strip_prefix("at ")?.parse().ok()
}

fn without_progress(text: &str) -> String {
    text.lines().filter(|line| come(line).is_none()).map(|line| format!("{line}\n")).collect()
}
