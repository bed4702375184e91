//! `installer plan --show FILE`: what a file would become.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use bundle_format::layout::Content;
use bundle_format::lines;
use bundle_format::text::{count, printable};
use bundle_format::yaml::hint::near;

use super::install::chosen;
use super::node;
use super::options::{Aim, Choice};
use super::output::print;
use crate::engine::run::{self, Planned};
use crate::failure::Failure;
use crate::host::Host;
use crate::install::{Change, OfInstall};
use crate::intent::Intent;
use crate::masked::masked;
use crate::node::paths::SERVICE_FOLDER;

/// The largest file of the bundle that is shown, in bytes.
const MOST: u64 = 4 << 20;

/// What a plan makes of a file.
enum New<'a> {
    /// This text.
    Text(&'a [u8], u32),
    /// A file of the bundle.
    Content(&'a Content),
    /// The file is removed.
    Gone,
    /// It comes from a backup, and is secret.
    Secret,
    /// A command writes it, so its text is not known yet.
    Later(String),
}

/// Prints the difference between the file now and after the run.
pub(crate) fn show(
    aim: &Aim,
    choice: &Choice,
    root: Option<&Path>,
    file: &Path,
) -> anyhow::Result<()> {
    let host = node::host(root)?;
    let intent = node::intent(&host, aim, root)?;
    node::tell_stranger(&intent);
    let plan = run::plan(&host, &intent, &chosen(&intent, choice)?)?;
    let files = files(&plan);
    // The last change counts; but a file for a command is removed after it.
    let own = || files.iter().rev().filter(|(path, _)| path == file);
    let read = own().find(|(_, new)| !matches!(new, New::Gone));
    let Some((path, new)) = read.or_else(|| own().next()) else {
        return Err(none(&files, file).into());
    };
    let old = host.bytes(path)?;
    let text = match new {
        New::Text(text, mode) => difference(path, old.as_deref(), Some(text), *mode),
        New::Gone => difference(path, old.as_deref(), None, 0o644),
        New::Content(content) => {
            let bytes = bytes(&intent, content)?;
            difference(path, old.as_deref(), Some(&bytes), 0o644)
        }
        New::Secret => format!("{} comes from the backup, and is secret\n", path.display()),
        New::Later(command) => {
            format!("{} is written by {command}; its text is known only then\n", path.display())
        }
    };
    print(&text)
}

/// How many lines of a changed file are shown.
const FEW: usize = 40;

/// What the new kubeadm would change in the files of the control plane.
pub(super) fn control_plane(files: &[String]) -> String {
    let all: String = files.iter().map(|file| first_lines(file)).collect();
    if all.is_empty() { all } else { format!("kubeadm would change in the control plane:\n{all}") }
}

/// The first lines of a text, and how many more it has.
fn first_lines(text: &str) -> String {
    let shown = text.lines().take(FEW).map(|line| format!("{}\n", printable(line)));
    let more = text.lines().count().saturating_sub(FEW);
    let more = (more > 0).then(|| format!("(and {})\n", count(more, "more line")));
    shown.chain(more).chain(["\n".to_owned()]).collect()
}

/// What a plan changes in the manifests that the node has: the first lines of each.
pub(super) fn manifests(
    host: &Host,
    intent: &Intent,
    plan: &[Planned<Intent>],
) -> anyhow::Result<String> {
    let mut text = String::new();
    for (path, new) in files(plan) {
        let New::Content(content) = new else { continue };
        let is_manifest = path.starts_with(Path::new(SERVICE_FOLDER).join("manifests"));
        let Some(old) = host.bytes(&path)?.filter(|_| is_manifest) else { continue };
        let whole = difference(&path, Some(&old), Some(&bytes(intent, content)?), 0o644);
        text += &first_lines(&whole);
    }
    Ok(text)
}

/// All files of a plan, in order.
fn files(plan: &[Planned<Intent>]) -> Vec<(PathBuf, New<'_>)> {
    let mut files = Vec::new();
    for change in plan.iter().flat_map(|planned| &planned.changes) {
        match change {
            Change::Write { path, text, mode, .. } => {
                files.push((path.clone(), New::Text(text, *mode)));
            }
            Change::Remove { path } => files.push((path.clone(), New::Gone)),
            Change::Own(OfInstall::Unpack { folder, files: all }) => files.extend(
                all.iter().map(|(name, content)| (folder.join(name), New::Content(content))),
            ),
            Change::Run { command, files: all, .. } => files
                .extend(all.iter().map(|path| (path.clone(), New::Later(format!("`{command}`"))))),
            Change::Own(OfInstall::FromBackup { path, .. }) => {
                files.push((path.clone(), New::Secret));
            }
            Change::Own(OfInstall::WriteJoinFile { command, path }) => {
                files.push((path.clone(), New::Later(format!("`{command}`"))));
            }
            Change::Make { .. }
            | Change::Claim { .. }
            | Change::Install { .. }
            | Change::Await { .. }
            | Change::Own(
                OfInstall::Import { .. }
                | OfInstall::KeepProgram { .. }
                | OfInstall::LeaveEtcd
                | OfInstall::Snapshot { .. }
                | OfInstall::EndControlPlane
                | OfInstall::Evict { .. },
            ) => {}
        }
    }
    files
}

/// The failure if the plan does not change this file, with the closest name.
fn none(files: &[(PathBuf, New<'_>)], file: &Path) -> Failure {
    let mut names: Vec<String> = files
        .iter()
        .filter(|(_, new)| !matches!(new, New::Content(_)))
        .map(|(path, _)| path.display().to_string())
        .collect();
    names.sort();
    names.dedup();
    let wanted = file.display().to_string();
    let by_name = || {
        let mut same = files.iter().filter(|(path, _)| path.file_name() == file.file_name());
        same.next().map(|(path, _)| path.display().to_string())
    };
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    let meant = near(&wanted, &known).map(str::to_owned).or_else(by_name);
    let cure = match (meant, names.as_slice()) {
        (Some(meant), _) => format!("did you mean {meant}?"),
        (None, []) => "it writes none".to_owned(),
        (None, names) => format!("it writes {}", names.join(", ")),
    };
    Failure::new(format!("the plan does not write {wanted}"), cure)
}

fn bytes(intent: &Intent, content: &Content) -> anyhow::Result<Vec<u8>> {
    let blob = intent.bundle.open_blob(&content.descriptor)?;
    let mut bytes = Vec::new();
    blob.take(MOST).read_to_end(&mut bytes).context("reading the bundle")?;
    Ok(bytes)
}

/// The lines that differ, in the format of `diff -u`.
fn difference(path: &Path, old: Option<&[u8]>, new: Option<&[u8]>, mode: u32) -> String {
    let path = path.display();
    let name = |there: bool| if there { path.to_string() } else { "/dev/null".to_owned() };
    let private = if mode & 0o077 == 0 { ", for root only" } else { "" };
    let head = format!(
        "--- {} (as it is)\n+++ {} (as planned{private})\n",
        name(old.is_some()),
        name(new.is_some())
    );
    let (Ok(before), Ok(after)) = (
        std::str::from_utf8(old.unwrap_or_default()),
        std::str::from_utf8(new.unwrap_or_default()),
    ) else {
        return format!("{head}(no text)\n");
    };
    let (before, after) = (masked(before), masked(after));
    if before == after {
        return format!(
            "{head}(the text stays the same; a secret in it or the file's mode may change)\n"
        );
    }
    match lines::of_texts(before.as_bytes(), after.as_bytes(), usize::MAX) {
        Some(found) => head + &found.lines.join("\n") + "\n",
        None => format!("{head}(too long to compare)\n"),
    }
}
