//! The way back: over the receipt, from its end.

use std::collections::{BTreeSet, HashMap};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::{fs, io};

use bundle_format::Digest;

use crate::engine::erase::{Brought, erase, is_about_packages};
use crate::engine::undo;
use crate::exec::Command;
use crate::files::whole::partial;
use crate::host::Host;
use crate::node::paths;
use crate::receipt::{self, Before, Deed, StepName};

/// What a reset reports.
#[derive(Clone, Copy, Debug)]
pub enum Told<'a> {
    /// It ran a command.
    Ran(&'a Command),
    /// Something stays, with the reason: it belongs to somebody else by now, or
    /// the old version no longer exists.
    Stays(&'a str),
}

/// Takes back all deeds of the receipt that are not taken back yet. It goes on after
/// failures, and returns what could not be taken back.
pub fn reset(host: &mut Host, say: &mut dyn FnMut(Told<'_>)) -> Vec<String> {
    let mut left = Vec::new();
    // Steps with a deed that could not be taken back.
    let mut held = BTreeSet::new();
    let deeds = receipt::remaining_of_steps(host.lines()).into_iter();
    let deeds: Vec<(StepName, Deed)> = deeds.map(|(step, deed)| (step, deed.clone())).collect();
    let mut uses = Uses::of(&deeds);
    // Packages need each other across runs. All are erased at once, where the
    // first came.
    let packages: Vec<&(StepName, Deed)> =
        deeds.iter().filter(|(_, deed)| is_about_packages(deed)).collect();
    for one in deeds.iter().rev() {
        let (step, deed) = (one.0, &one.1);
        if is_about_packages(deed) {
            if packages.first().is_some_and(|first| std::ptr::eq(*first, one)) {
                left.extend(without_packages(host, &packages, say).err());
            }
            continue;
        }
        match take_back(host, deed, &mut uses, say) {
            // The folder is not empty yet. The next reset may remove it.
            Ok(()) if matches!(deed, Deed::Made { path } if host.exists(path)) => {}
            // A program that read a file must read it again once it is
            // restored.
            Ok(()) if matches!(deed, Deed::Ran { .. }) && held.contains(&step) => {}
            Ok(()) => host.note_undone(step, deed),
            Err(reason) => {
                held.insert(step);
                left.push(reason);
            }
        }
    }
    left
}

/// How many deeds still need each undo command. A shared command runs once, after the
/// files of the last of these deeds.
struct Uses(HashMap<Vec<String>, usize>);

impl Uses {
    fn of(deeds: &[(StepName, Deed)]) -> Self {
        let mut uses: HashMap<Vec<String>, usize> = HashMap::new();
        let undos = deeds.iter().filter_map(|(_, deed)| match deed {
            Deed::Ran { undo, .. } if !is_about_packages(deed) => Some(undo),
            _ => None,
        });
        for command in undos.flatten() {
            *uses.entry(command.words().to_vec()).or_default() += 1;
        }
        Self(uses)
    }

    /// Counts a use, and returns whether it was the last.
    fn is_last(&mut self, command: &Command) -> bool {
        let left = self.0.entry(command.words().to_vec()).or_default();
        *left = left.saturating_sub(1);
        *left == 0
    }
}

/// Takes back a deed that is not about packages.
fn take_back(
    host: &mut Host,
    deed: &Deed,
    uses: &mut Uses,
    say: &mut dyn FnMut(Told<'_>),
) -> Result<(), String> {
    match deed {
        Deed::Wrote { path, before, after } => put_back(host, path, before, *after),
        Deed::Made { path } => remove_if_empty(host, path),
        Deed::Claimed { path, before } => empty(host, path, *before),
        Deed::Installed { .. } => Ok(()),
        Deed::Ran { undo, .. } => {
            let mut failed = Ok(());
            for command in undo {
                if uses.is_last(command) {
                    failed = failed.and(run(host, command, say));
                }
            }
            failed
        }
    }
}

/// Runs an undo command, if something is left for it.
fn run(host: &mut Host, command: &Command, say: &mut dyn FnMut(Told<'_>)) -> Result<(), String> {
    if undo::run(host, command).map_err(|error| format!("{error:#}"))? {
        say(Told::Ran(command));
    }
    Ok(())
}

/// Erases all packages that came with us, and notes that.
fn without_packages(
    host: &mut Host,
    deeds: &[&(StepName, Deed)],
    say: &mut dyn FnMut(Told<'_>),
) -> Result<(), String> {
    let brought = Brought::by(deeds.iter().map(|(_, deed)| deed));
    let stays = erase(host, &brought.ours).map_err(|error| format!("{error:#}"))?;
    let replaced = brought.replaced.iter();
    let replaced = replaced.map(|one| format!("{}: {} was there before", one.is, one.was));
    // A repeated run may have noted the same twice.
    let told: BTreeSet<String> = stays.into_iter().chain(replaced).collect();
    told.iter().for_each(|one| say(Told::Stays(one)));
    deeds.iter().for_each(|(step, deed)| host.note_undone(*step, deed));
    Ok(())
}

fn put_back(
    host: &Host,
    path: &Path,
    before: &Before,
    after: Option<Digest>,
) -> Result<(), String> {
    let fail = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    // A repeated reset needs this file. It goes with the receipt.
    if path.starts_with(paths::KEYS_BEFORE) {
        return Ok(());
    }
    let real = host.path(path);
    // Left by a power loss while the file was written.
    drop(fs::remove_file(partial(&real)));
    match before {
        Before::Absent => match fs::remove_file(&real) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(fail(&error)),
            _ => Ok(()),
        },
        // The file went with its package.
        Before::File { .. } if after.is_some() && !host.exists(path) => Ok(()),
        Before::File { kept, attributes } => {
            let text = host.kept(kept).map_err(|error| fail(&error))?;
            host.put_back(path, &text, attributes).map_err(|error| format!("{error:#}"))
        }
    }
}

fn remove_if_empty(host: &Host, path: &Path) -> Result<(), String> {
    // If others put something there, the folder stays.
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
    // What is mounted there belongs to somebody else, such as an NFS server. If
    // the mounts are unknown, nothing is removed.
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
            // A mount point cannot be removed, and stays.
            drop(fs::remove_dir(&real));
            Ok(())
        }
    }
}

/// Removes the receipt itself, when nothing is left to take back.
pub fn forget(host: &Host) -> io::Result<()> {
    let folder = host.path(receipt::FOLDER);
    // The receipt goes last, so that an interrupted reset can be repeated.
    for entry in fs::read_dir(&folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else if entry.file_name() != receipt::FILE {
            fs::remove_file(entry.path())?;
        }
    }
    fs::remove_dir_all(folder)
}
