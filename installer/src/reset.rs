//! The way back: over the receipt, from its end.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use bundle_format::Digest;

use crate::exec::Command;
use crate::host::Host;
use crate::receipt::{self, Before, Deed, Line};
use crate::whole_file::partial;

/// Takes back all that the receipt tells of, and goes on past what fails. Gives
/// what could not be taken back.
pub fn reset(host: &mut Host, say: &mut dyn FnMut(&str)) -> Vec<String> {
    let mut left = Vec::new();
    let deeds: Vec<Deed> = host
        .lines()
        .iter()
        .filter_map(|line| match line {
            Line::Deed { deed, .. } => Some(deed.clone()),
            _ => None,
        })
        .collect();
    let undos = deeds.iter().filter_map(|deed| match deed {
        Deed::Ran { undo, .. } => Some(undo),
        _ => None,
    });
    let mut uses: HashMap<Vec<String>, usize> = HashMap::new();
    for command in undos.flatten() {
        *uses.entry(command.words().to_vec()).or_default() += 1;
    }
    for deed in deeds.iter().rev() {
        let result = match deed {
            Deed::Wrote { path, before, after } => put_back(host, path, before, *after),
            Deed::Made { path } => remove_if_empty(host, path),
            Deed::Claimed { path, before } => empty(host, path, *before),
            Deed::Ran { undo, .. } => {
                let mut failed = Ok(());
                for command in undo {
                    // What several changes have in common is taken back once,
                    // after the files of the last of them.
                    let left = uses.entry(command.words().to_vec()).or_default();
                    *left = left.saturating_sub(1);
                    if *left == 0 {
                        say(&format!("run {command}"));
                        failed = failed.and(run(host, command));
                    }
                }
                failed
            }
        };
        if let Err(reason) = result {
            left.push(reason);
        }
    }
    left
}

fn run(host: &mut Host, command: &Command) -> Result<(), String> {
    host.take_back(command).map_err(|error| format!("{error:#}"))
}

fn put_back(
    host: &Host,
    path: &Path,
    before: &Before,
    after: Option<Digest>,
) -> Result<(), String> {
    let fail = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let real = host.path(path);
    // What was being written when the power went has no name of its own yet.
    drop(fs::remove_file(partial(&real)));
    match before {
        Before::Absent => match fs::remove_file(&real) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(fail(&error)),
            _ => Ok(()),
        },
        // A package that went has taken its file along; what it was then
        // belonged to that package.
        Before::File { .. } if after.is_some() && !host.exists(path) => Ok(()),
        Before::File { kept, attributes } => {
            let text = host.kept(kept).map_err(|error| fail(&error))?;
            host.put_back(path, &text, attributes).map_err(|error| format!("{error:#}"))
        }
    }
}

fn remove_if_empty(host: &Host, path: &Path) -> Result<(), String> {
    // Others may have put something there meanwhile: theirs stays.
    drop(fs::remove_dir(host.path(path)));
    Ok(())
}

/// Empties a folder, and removes it if it was not there before.
fn empty(host: &Host, path: &Path, before: Option<u32>) -> Result<(), String> {
    let real = host.path(path);
    let fail = |error: io::Error| format!("{}: {error}", path.display());
    let entries = match fs::read_dir(&real) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(fail(error)),
    };
    // What is mounted there is somebody else's: an NFS server's, mostly.
    // Where nobody knows what is mounted, nothing is emptied.
    let mounts = host.mounts().map_err(|error| format!("{}: {error:#}", path.display()))?;
    let folders = [real.canonicalize().map_err(fail)?, real.clone()];
    let is_below = |mount: &str| {
        let at = host.path(mount);
        folders.iter().any(|folder| at.starts_with(folder) && at != *folder)
    };
    if let Some(mount) = mounts.iter().find(|mount| is_below(mount)) {
        return Err(format!("{}: something is mounted at {mount}; `umount` it", path.display()));
    }
    for entry in entries {
        let entry = entry.map_err(fail)?;
        let inner = entry.path();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder { fs::remove_dir_all(&inner) } else { fs::remove_file(&inner) }
            .map_err(fail)?;
    }
    match before {
        Some(mode) => fs::set_permissions(&real, fs::Permissions::from_mode(mode)).map_err(fail),
        None => {
            // A mount of its own stays.
            drop(fs::remove_dir(&real));
            Ok(())
        }
    }
}

/// Removes the receipt itself, when nothing is left to take back.
pub fn forget(host: &Host) -> io::Result<()> {
    fs::remove_dir_all(host.path(receipt::FOLDER))
}
