//! Other programs, run to their end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, bail};
use rustix::process::Pid;

/// Runs `command` and gives its output; an error with what it wrote to standard
/// error when it fails.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<String> {
    let output = output(command)?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        bail!("{} ended with {}: {}", line(command), output.status, words.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs `command`, whatever comes of it.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<Output> {
    command.output().with_context(|| format!("starting {}", line(command)))
}

fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// A program of this workspace, by its name: one that cargo built beside this
/// program, or beside the test that runs.
pub fn program(name: &str) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("finding this program")?;
    let mut folders = own.ancestors().skip(1).take(2);
    folders.find_map(|folder| Some(folder.join(name)).filter(|path| path.is_file())).with_context(
        || format!("no `{name}` is beside {}; `cargo build --workspace` makes it", own.display()),
    )
}

/// The process whose number `file` has, if it still runs and has `word` among
/// its arguments: a number that was left behind may be another's by now.
pub(crate) fn noted_process(file: &Path, word: &str) -> Option<Pid> {
    let text = fs::read_to_string(file).ok()?;
    let pid = Pid::from_raw(text.trim().parse().ok()?)?;
    let line = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).ok()?;
    line.split(|byte| *byte == 0).any(|part| part == word.as_bytes()).then_some(pid)
}
