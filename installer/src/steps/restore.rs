//! What makes a cluster out of a backup, before `kubeadm init` starts it: the master's
//! files, and etcd's data.

use std::path::Path;

use anyhow::Context;
use bundle_format::lock::Why;

use crate::backup::{Backup, Etcd, Part};
use crate::failure::Failure;
use crate::host::Host;
use crate::install::{Change, Node, OfInstall};
use crate::intent::Intent;
use crate::node::paths::{ADMIN_CONF, ETCD_MEMBER, KUBERNETES};
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

/// Whether a restore began and did not end.
pub(super) fn was_interrupted(host: &Host) -> bool {
    host.was_interrupted(StepName::ControlPlane) && last(host).is_some()
}

/// Why a run must not begin: it would throw data away.
pub(super) fn refusal(host: &Host, intent: &Intent) -> anyhow::Result<()> {
    let last = last(host);
    let failure = match &intent.restore {
        None if was_interrupted(host) => Failure::new(
            "this node was being restored from a backup, and that has not ended",
            "give the backup again with --restore; or run `installer reset` to begin anew",
        ),
        Some(backup) if last != Some(backup.digest()) && has_cluster(host) => Failure::new(
            "this node has a cluster already, which a restore would replace",
            "if you do not need it, take it away with `installer reset`, and run this again",
        ),
        _ => return Ok(()),
    };
    Err(failure.into())
}

/// Whether there is a cluster that a run did not leave half made.
fn has_cluster(host: &Host) -> bool {
    let is_there = host.exists(ETCD_MEMBER) || host.exists(ADMIN_CONF);
    is_there && !host.was_interrupted(StepName::ControlPlane)
}

/// The changes, in order.
pub(super) fn changes(node: &Node<'_>, backup: &Backup) -> anyhow::Result<Vec<Change>> {
    let mut changes = Vec::new();
    for (number, file) in backup.contents().files.iter().enumerate() {
        let path = Path::new(KUBERNETES).join(file.path.as_str());
        changes.push(Change::Own(OfInstall::FromBackup { path, part: Part::File(number) }));
    }
    let path = Path::new(FOLDER).join(FILE);
    let part = Part::Snapshot;
    changes.push(Change::Own(OfInstall::FromBackup { path: path.clone(), part }));
    let etcd = etcd(node.intent)?;
    let Intent { name, address, .. } = node.intent;
    for command in etcd.restore(node.host, FOLDER, FILE, name, *address) {
        let intention = Intention::Restore { backup: backup.digest() };
        changes.push(Change::run_command(command).intended(intention));
    }
    changes.push(Change::Remove { path });
    Ok(changes)
}

/// The bundle's etcd.
fn etcd(intent: &Intent) -> anyhow::Result<Etcd> {
    let is_etcd = |why: &Why| matches!(why, Why::Kubeadm { component } if component == "etcd");
    let image = intent.lock().images.iter().find(|image| image.why.iter().any(is_etcd));
    Etcd::of(image.context("the bundle has no image of etcd")?.name.clone())
}
