//! containerd's configuration: CRI on, the bundle's sandbox image, the cluster's
//! cgroup driver. Then it is started anew, and must answer CRI.

mod edit;
mod files;
mod format;
mod networks;
mod pattern;
mod refusal;
mod registries;
mod release;
mod runtimes;
mod source;
mod told;
mod trial;

use std::path::{Path, PathBuf};

use self::edit::{Wanted, configure};
use self::files::Files;
use self::release::Release;
use super::crictl::SOCKET;
use super::{claims, enabled, file, unit_is};
use crate::change::Change;
use crate::exec::Command;
use crate::host::Host;
use crate::receipt;
use crate::step::{Node, Step};

pub(crate) use self::networks::{NETWORKS, networks};
pub(crate) use self::refusal::refusal;
pub(crate) use self::registries::FOLDER as REGISTRIES;
pub(crate) use self::source::source;
pub(crate) use self::told::told;

/// Its configuration, where systemd does not start it with another.
pub(crate) const PATH: &str = "/etc/containerd/config.toml";
/// Folders that it makes when it starts, and fills.
const FOLDERS: [&str; 3] = ["/etc/cni", "/opt/containerd", "/var/lib/containerd"];

/// See the module.
pub struct Containerd;

impl Step for Containerd {
    fn name(&self) -> &'static str {
        "containerd"
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let host = node.host;
        let (files, moved) = edited(node)?;
        let is_active = unit_is(host, "active", "containerd")?;
        let mut changes = if is_active { Vec::new() } else { claims(host, &FOLDERS)? };
        for (path, text) in &moved {
            let why = "registry settings of containerd's configuration move there";
            changes.extend(file(host, path, text)?.into_iter().map(|change| change.because(why)));
        }
        for (path, text) in files.edited() {
            changes.extend(file(host, &path.to_string_lossy(), &text)?);
        }
        if is_active && (!changes.is_empty() || host.was_interrupted(self.name())) {
            changes.push(restart(host, &files));
        }
        changes.extend(enabled(host, "containerd")?);
        if !changes.is_empty() {
            // systemd has it as started before its CRI is.
            let command = Command::of(&format!("crictl --runtime-endpoint {SOCKET} info"));
            changes.push(Change::Await { command, seconds: 60 });
        }
        Ok(changes)
    }

    fn before(&self, node: &Node<'_>) -> anyhow::Result<()> {
        trial::check(node.host, &edited(node)?.0, &wanted(node))
    }

    fn cure(&self) -> Option<&'static str> {
        Some("`journalctl -u containerd` says why; mend that, and run this again")
    }
}

/// Its files as they are to be, and those of registries that come of them.
fn edited(node: &Node<'_>) -> anyhow::Result<(Files, Vec<(String, String)>)> {
    let version = node.intent.lock().containerd.as_deref();
    let source = source(node.host)?;
    let release = version.map_or(Release::OLD, Release::of);
    let mut files = Files::read(node.host, &source.path, release)?;
    let moved = configure(node.host, &mut files, &source, &wanted(node))?;
    Ok((files, moved))
}

fn wanted<'a>(node: &Node<'a>) -> Wanted<'a> {
    let intent = node.intent;
    Wanted {
        sandbox: intent.lock().sandbox_image.as_ref(),
        driver: intent.cluster.cgroup_driver,
        registries: intent.cluster.registry_mirrors.keys().map(ToString::to_string).collect(),
    }
}

/// Once, when all files are written; and at a reset, when all are back.
fn restart(host: &Host, files: &Files) -> Change {
    let command = Command::of("systemctl restart containerd");
    let edited: Vec<&Path> = files.edited().into_iter().map(|(path, _)| path).collect();
    let all = files.list.iter().map(|file| file.path.as_path());
    let written =
        all.filter(|path| edited.contains(path) || receipt::first(host.lines(), path).is_some());
    let files = written.map(PathBuf::from).collect();
    Change::Run { undo: vec![command.clone()], command, files }
}
