//! What makes a cluster out of a backup, before `kubeadm init` starts it: the master's
//! files, and etcd's data.

use std::path::Path;

use anyhow::Context;
use bundle_format::lock::Why;

use crate::backup::{Backup, Etcd, Part};
use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::install::{Change, Node, OfInstall};
use crate::intent::Intent;
use crate::node::paths::{ADMIN_CONF, ETCD_MEMBER, KUBEADM_CONFIG, KUBERNETES, STATIC_PODS};
use crate::node::standing;
use crate::receipt::{self, Deed, Intention, StepName};

/// Where the snapshot lies for a moment.
const FOLDER: &str = "/var/lib/kubeferry/restore";
const FILE: &str = "etcd.db";

/// The backup from which this node's data were made last.
fn last(host: &Host) -> Option<bundle_format::Digest> {
    let restored = receipt::remaining(host.lines()).into_iter().rev();
    restored.filter_map(Deed::intention).find_map(|intention| match intention {
        Intention::Restore { backup } => Some(backup),
        _ => None,
    })
}

/// How far an interrupted restore came.
#[derive(PartialEq, Eq)]
pub(super) enum Progress {
    /// No restore was interrupted.
    None,
    /// The data are not whole yet, or no control plane runs on them.
    Begun,
    /// The control plane's pods are there. The cluster may have been used since.
    Serving,
}

/// How far an interrupted restore came.
pub(super) fn progress(host: &Host) -> Progress {
    match (host.was_interrupted(StepName::ControlPlane) && last(host).is_some(), has_pods(host)) {
        (false, _) => Progress::None,
        (true, false) => Progress::Begun,
        (true, true) => Progress::Serving,
    }
}

/// Whether kubelet has all that it starts a control plane from.
fn has_pods(host: &Host) -> bool {
    ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"]
        .iter()
        .all(|name| host.exists(format!("{STATIC_PODS}/{name}.yaml")))
}

/// Why a run must not begin, if it would delete data.
pub(super) fn refusal(host: &Host, intent: &Intent) -> anyhow::Result<()> {
    let failure = match &intent.restore {
        None if progress(host) == Progress::Begun => Failure::new(
            "this node was being restored from a backup, and that has not ended",
            "give the backup again with --restore; or run `installer reset` to begin anew",
        ),
        Some(backup) if last(host) != Some(backup.digest()) && has_cluster(host) => Failure::new(
            "this node has a cluster already, which a restore would replace",
            "if you do not need it, take it away with `installer reset`, and run this again",
        ),
        _ => return Ok(()),
    };
    Err(failure.into())
}

/// Whether there is a cluster, or a control plane that may have been used.
fn has_cluster(host: &Host) -> bool {
    let is_there = host.exists(ETCD_MEMBER) || host.exists(ADMIN_CONF);
    is_there && (has_pods(host) || !host.was_interrupted(StepName::ControlPlane))
}

/// What is left to do where the control plane's pods are there already: all objects
/// that `kubeadm init` makes are in etcd. `question` asks for the last of them.
pub(super) fn rest(question: &str) -> Vec<Change> {
    let finalize = format!("kubeadm init phase kubelet-finalize all --config {KUBEADM_CONFIG}");
    vec![
        Change::Await { command: Command::of(question), seconds: standing::PATIENCE },
        Change::run(&finalize),
    ]
}

/// The changes, in order. The first tells the receipt of the restore.
pub(super) fn changes(node: &Node<'_>, backup: &Backup) -> anyhow::Result<Vec<Change>> {
    let etcd = etcd(node.intent)?;
    let intention = Intention::Restore { backup: backup.digest() };
    let mut changes: Vec<Change> = Etcd::clearing(node.host)
        .into_iter()
        .chain([Etcd::removing()])
        .map(|command| Change::run_command(command).intended(intention.clone()))
        .collect();
    for (number, file) in backup.contents().files.iter().enumerate() {
        let path = Path::new(KUBERNETES).join(file.path.as_str());
        changes.push(Change::Own(OfInstall::FromBackup { path, part: Part::File(number) }));
    }
    let path = Path::new(FOLDER).join(FILE);
    let part = Part::Snapshot;
    changes.push(Change::Own(OfInstall::FromBackup { path: path.clone(), part }));
    let Intent { name, address, .. } = node.intent;
    let cluster = format!("kubeferry-{}", backup.digest().hex());
    let made = etcd.restore(FOLDER, FILE, name, *address, &cluster);
    changes.extend(made.into_iter().map(Change::run_command));
    changes.push(Change::Remove { path });
    Ok(changes)
}

/// Whether the restore raises etcd's revision, so that clients see what comes next.
pub(crate) fn raises_revision(intent: &Intent) -> anyhow::Result<bool> {
    Ok(etcd(intent)?.can_raise_revision())
}

/// The bundle's etcd.
fn etcd(intent: &Intent) -> anyhow::Result<Etcd> {
    let is_etcd = |why: &Why| matches!(why, Why::Kubeadm { component } if component == "etcd");
    let image = intent.lock().images.iter().find(|image| image.why.iter().any(is_etcd));
    Etcd::of(image.context("the bundle has no image of etcd")?.name.clone())
}
