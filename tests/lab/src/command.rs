//! Other programs, run to their end.

use std::path::PathBuf;
use std::process::{Command, Output};

use anyhow::{Context, bail};

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

/// The program `lab`: this one, or the one that cargo built beside the test
/// that runs.
pub(crate) fn lab_program() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("finding this program")?;
    let mut folders = own.ancestors().skip(1).take(2);
    folders
        .find_map(|folder| Some(folder.join("lab")).filter(|path| path.is_file()))
        .with_context(|| format!("there is no program `lab` beside {}", own.display()))
}
