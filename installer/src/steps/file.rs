//! What makes files have their text, and folders ours.

use std::path::PathBuf;

use crate::exec::Command;
use crate::host::Host;
use crate::install::Change;
use crate::receipt::StepName;

/// What makes a file have this text: nothing where it has.
pub(super) fn file(
    host: &Host,
    path: &str,
    text: &(impl AsRef<[u8]> + ?Sized),
) -> anyhow::Result<Vec<Change>> {
    let now = match host.bytes(path) {
        // What is no file can be told better than that it cannot be read.
        Err(error) => host.file(path).and(Err(error))?,
        Ok(now) => now,
    };
    if now.as_deref() == Some(text.as_ref()) {
        return Ok(Vec::new());
    }
    host.file(path)?;
    Ok(vec![Change::write(path, text.as_ref())])
}

/// As [`file`], for one that only its owner may read.
pub(super) fn secret_file(host: &Host, path: &str, text: &str) -> anyhow::Result<Vec<Change>> {
    if file(host, path, text)?.is_empty() && host.is_private(path)? {
        return Ok(Vec::new());
    }
    Ok(vec![Change::write_secret(path, text)])
}

/// What makes a file have this text, and the program that it is for read it:
/// again after a step that was interrupted before that.
pub(super) fn file_for(
    host: &Host,
    step: StepName,
    path: &str,
    text: &(impl AsRef<[u8]> + ?Sized),
    reread: &str,
) -> anyhow::Result<Vec<Change>> {
    let mut changes = file(host, path, text)?;
    if let Some(Change::Write { then, .. }) = changes.first_mut() {
        *then = Some(Command::of(reread));
    } else if host.was_interrupted(step) {
        changes.push(Change::run(reread));
    }
    Ok(changes)
}

/// What makes folders ours that have no file in them yet.
pub(super) fn claims(host: &Host, folders: &[&str]) -> anyhow::Result<Vec<Change>> {
    let mut changes = Vec::new();
    for path in folders.iter().map(PathBuf::from) {
        if host.has_no_file(&path)? {
            changes.push(Change::Claim { path, mode: 0o755 });
        }
    }
    Ok(changes)
}
