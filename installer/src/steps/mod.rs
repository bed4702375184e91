//! The steps, one file each, and what several of them ask of a node or a bundle.
//! [`crate::role`] has their order.

mod boot_images;
pub(crate) mod chrony;
pub mod cni_interface;
pub mod containerd;
pub mod control_plane;
pub mod crictl;
pub mod firewall;
pub mod hosts;
pub mod images;
pub(crate) mod ingress;
pub mod ingress_nodes;
pub mod join;
pub mod join_file;
pub mod kubeconfig;
pub mod kubelet;
pub mod kubelet_settings;
mod lines;
mod live;
pub mod manifests;
pub mod modules;
pub mod network_manager;
pub mod nfs_server;
pub mod packages;
mod pattern;
pub mod ready;
pub mod registry_mirrors;
pub mod repository;
pub(crate) mod resolver;
pub mod selinux;
pub mod service_folder;
pub mod service_route;
pub mod swap;
pub mod sysctl;
pub mod time;
pub(crate) mod vendor_keys;

use std::path::PathBuf;

use crate::change::Change;
use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;

/// What makes a file have this text: nothing where it has.
fn file(
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
fn secret_file(host: &Host, path: &str, text: &str) -> anyhow::Result<Vec<Change>> {
    if file(host, path, text)?.is_empty() && host.is_private(path)? {
        return Ok(Vec::new());
    }
    Ok(vec![Change::write_secret(path, text)])
}

/// What makes a file have this text, and the program that it is for read it:
/// again after a step that was interrupted before that.
fn file_for(
    host: &Host,
    step: &str,
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
fn claims(host: &Host, folders: &[&str]) -> anyhow::Result<Vec<Change>> {
    let mut changes = Vec::new();
    for path in folders.iter().map(PathBuf::from) {
        if host.has_no_file(&path)? {
            changes.push(Change::Claim { path, mode: 0o755 });
        }
    }
    Ok(changes)
}

/// Whether systemd says `word` of a unit, to `is-active` or `is-enabled`. An
/// error where it says nothing: that is not "no".
pub(crate) fn unit_is(host: &Host, word: &str, unit: &str) -> anyhow::Result<bool> {
    let question = if word == "active" { "is-active" } else { "is-enabled" };
    let told = unit_told(host, question, unit)?;
    // What nothing can enable more than it is: it starts when others want it.
    let starts = ["static", "indirect", "generated", "alias"];
    Ok(told == word || word == "enabled" && starts.contains(&told.as_str()))
}

/// What systemd says of a unit, as [`unit_is`] has it; nothing of one that is not there.
pub(crate) fn unit_told(host: &Host, question: &str, unit: &str) -> anyhow::Result<String> {
    let command = Command::of(&format!("systemctl {question} {unit}"));
    let said = host.answer(&command)?;
    // Of a unit that is not there older ones have no word, only that error; in a
    // folder that is looked at there is no systemd.
    let is_absent = ["No such file", "Running in chroot"];
    let says = !said.stdout.trim().is_empty()
        || said.status == Some(127)
        || is_absent.iter().any(|words| said.stderr.contains(words));
    if !says {
        let reason = said.reason().unwrap_or("it says nothing");
        return Err(Failure::new(
            format!("`{command}` does not answer: {reason}"),
            "see why with `systemctl status`; if it does not answer either, restart the node",
        )
        .into());
    }
    Ok(said.stdout.trim().to_owned())
}

/// Whether systemd has no such unit. To `is-active` systemd 219 says `unknown` then,
/// and newer ones `inactive`, as of one that is off.
pub(crate) fn unit_is_absent(host: &Host, unit: &str) -> anyhow::Result<bool> {
    let said = host.answer(&Command::of("systemctl show --property=LoadState").with(unit))?;
    Ok(said.stdout.trim() == "LoadState=not-found")
}

/// What ends a service of others, now and at each boot. A reset makes it what it was.
fn ended(host: &Host, unit: &str) -> anyhow::Result<Vec<Change>> {
    let mut changes = Vec::new();
    // One that others start, or that is there until the next boot only, cannot be disabled.
    if unit_told(host, "is-enabled", unit)? == "enabled" {
        changes.push(Change::run_undone_by(
            &format!("systemctl disable {unit}"),
            &format!("systemctl enable {unit}"),
        ));
    }
    if unit_told(host, "is-active", unit)? == "active" {
        changes.push(Change::run_undone_by(
            &format!("systemctl stop {unit}"),
            &format!("systemctl start {unit}"),
        ));
    }
    Ok(changes)
}

/// What makes a unit start now and at each boot.
fn enabled(host: &Host, unit: &str) -> anyhow::Result<Vec<Change>> {
    let mut changes = Vec::new();
    if !unit_is(host, "enabled", unit)? {
        if unit_is(host, "masked", unit)? {
            return Err(Failure::new(
                format!("{unit} is masked, so that nothing can start it"),
                format!("`systemctl unmask {unit}`, and run this again"),
            )
            .into());
        }
        changes.push(Change::run_undone_by(
            &format!("systemctl enable {unit}"),
            &format!("systemctl disable {unit}"),
        ));
    }
    if !unit_is(host, "active", unit)? {
        changes.push(Change::run_undone_by(
            &format!("systemctl start {unit}"),
            &format!("systemctl stop {unit}"),
        ));
    }
    Ok(changes)
}
