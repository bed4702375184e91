//! containerd: CRI on, the bundle's sandbox image, the cluster's cgroup driver. Then
//! it is restarted, and CRI must answer.

mod edit;
mod trial;

use std::path::{Path, PathBuf};

use self::edit::{Wanted, configure};
use crate::engine::change;
use crate::engine::step::Step;
use crate::exec::Command;
use crate::host::Host;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::node::containerd::files::Files;
use crate::node::containerd::release::Release;
use crate::node::containerd::source;
use crate::node::paths::{self, CONTAINERD_DATA, CRI_SOCKET};
use crate::node::systemd::unit_is;
use crate::receipt::{self, StepName};
use crate::steps::file::{claims, file};
use crate::steps::unit::enabled;

/// Folders that containerd makes and fills when it starts.
const FOLDERS: [&str; 3] = ["/etc/cni", "/opt/containerd", CONTAINERD_DATA];

/// Configures containerd.
pub struct Containerd;

impl Step<Intent> for Containerd {
    fn name(&self) -> StepName {
        StepName::Containerd
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
            changes.push(cri_answers());
        }
        Ok(changes)
    }

    fn before(&self, node: &Node<'_>) -> anyhow::Result<()> {
        trial::check(node.host, &edited(node)?.0, &wanted(node))
    }

    fn cure(&self) -> Option<&'static str> {
        Some("`journalctl -u containerd` says why; fix that, and run this again")
    }
}

/// Waits until CRI answers: systemd calls containerd started before that.
pub(crate) fn cri_answers<C>() -> change::Change<C> {
    let command = Command::of(&format!("crictl --runtime-endpoint {CRI_SOCKET} info"));
    change::Change::Await { command, seconds: 60 }
}

/// The edited files, and the registries' files to write.
fn edited(node: &Node<'_>) -> anyhow::Result<(Files, Vec<(String, String)>)> {
    let source = source(node.host)?;
    let mut files = Files::read(node.host, &source.path, release(node)?)?;
    let moved = configure(node.host, &mut files, &source, &wanted(node))?;
    Ok((files, moved))
}

/// The release that will read the files: the bundle's, or a newer one that is
/// installed on a node in its cluster.
fn release(node: &Node<'_>) -> anyhow::Result<Release> {
    let locked = node.intent.lock().containerd.as_deref().map(Release::of);
    let said = node.host.answer(&Command::of("containerd --version"))?.stdout;
    let here = said.split_whitespace().nth(2).map(|word| word.trim_start_matches('v'));
    let here = here.map(Release::of);
    Ok(match locked {
        Some(locked) if !node.host.exists(paths::KUBELET_CONF) => locked,
        locked => locked.max(here).unwrap_or(Release::OLD),
    })
}

fn wanted<'a>(node: &Node<'a>) -> Wanted<'a> {
    let intent = node.intent;
    Wanted {
        sandbox: intent.lock().sandbox_image.as_ref(),
        driver: intent.cluster.cgroup_driver,
        registries: intent.cluster.registry_mirrors.keys().map(ToString::to_string).collect(),
    }
}

/// The restart, after all files are written; at a reset, after all are restored.
fn restart(host: &Host, files: &Files) -> Change {
    let command = Command::of("systemctl restart containerd");
    let edited: Vec<&Path> = files.edited().into_iter().map(|(path, _)| path).collect();
    let all = files.list.iter().map(|file| file.path.as_path());
    let written =
        all.filter(|path| edited.contains(path) || receipt::first(host.lines(), path).is_some());
    let files = written.map(PathBuf::from).collect();
    Change::Run { undo: vec![command.clone()], command, files, intention: None }
}
