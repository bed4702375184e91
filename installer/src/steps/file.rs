//! The changes that write files and claim folders.

use std::path::PathBuf;

use crate::exec::Command;
use crate::host::Host;
use crate::install::Change;
use crate::receipt::StepName;

/// The change that gives a file this text; none if it has it.
pub(super) fn file(
    host: &Host,
    path: &str,
    text: &(impl AsRef<[u8]> + ?Sized),
) -> anyhow::Result<Vec<Change>> {
    let now = match host.bytes(path) {
        // A clearer error if it is not a regular file.
        Err(error) => host.file(path).and(Err(error))?,
        Ok(now) => now,
    };
    if now.as_deref() == Some(text.as_ref()) {
        return Ok(Vec::new());
    }
    host.file(path)?;
    Ok(vec![Change::write(path, text.as_ref())])
}

/// The same as [`file`], for a file that only its owner may read.
pub(super) fn secret_file(host: &Host, path: &str, text: &str) -> anyhow::Result<Vec<Change>> {
    if file(host, path, text)?.is_empty() && host.is_private(path)? {
        return Ok(Vec::new());
    }
    Ok(vec![Change::write_secret(path, text)])
}

/// The change that gives a file this text, and has its program read it with `reread`.
/// After an interruption the program reads it again.
pub(super) fn file_for(
    host: &Host,
    step: StepName,
    path: &str,
    text: &(impl AsRef<[u8]> + ?Sized),
    command: &str,
) -> anyhow::Result<Vec<Change>> {
    Ok(reread(host, step, file(host, path, text)?, command))
}

/// As [`file_for`], where what makes the files is known.
pub(super) fn reread(
    host: &Host,
    step: StepName,
    mut changes: Vec<Change>,
    command: &str,
) -> Vec<Change> {
    if changes.is_empty() && host.was_interrupted(step) {
        changes.push(Change::run(command));
    }
    // A reset takes each back by itself.
    for change in &mut changes {
        if let Change::Write { then, .. } = change {
            *then = Some(Command::of(command));
        }
    }
    changes
}

/// The changes that claim those folders that have no file in them yet.
pub(super) fn claims(host: &Host, folders: &[&str]) -> anyhow::Result<Vec<Change>> {
    let mut changes = Vec::new();
    for path in folders.iter().map(PathBuf::from) {
        if host.has_no_file(&path)? {
            changes.push(Change::Claim { path, mode: 0o755 });
        }
    }
    Ok(changes)
}
