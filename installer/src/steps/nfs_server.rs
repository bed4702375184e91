//! An NFS server on the machine that the cluster file names: one folder, exported to
//! the cluster's machines only. Its content survives a reset.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;

use bundle_format::cluster::Nfs;

use crate::engine::step::Step;
use crate::failure::Failure;
use crate::host::Host;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::node::join::JoinFile;
use crate::node::systemd::unit_is;
use crate::receipt::StepName;
use crate::steps::file::{file, file_for};
use crate::steps::packages;
use crate::steps::unit::enabled;

/// What is exported, and to whom.
pub(crate) const EXPORTS: &str = "/etc/exports.d/kubeferry.exports";
/// The server's unit.
pub(crate) const UNIT: &str = "nfs-server";
/// The command by which the server reads its exports again.
const REREAD: &str = "exportfs -ra";
const PACKAGE: &str = "nfs-utils";

/// Sets up the NFS server.
pub struct NfsServer;

impl Step<Intent> for NfsServer {
    fn name(&self) -> StepName {
        StepName::NfsServer
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let host = node.host;
        let serves = unit_is(host, "active", UNIT)?;
        let Some(nfs) = served(node.intent) else {
            let mut changes = Vec::new();
            if host.exists(EXPORTS) {
                changes.push(Change::Remove { path: EXPORTS.into() });
            }
            let is_stale = !changes.is_empty() || host.was_interrupted(self.name());
            if serves && is_stale {
                changes.push(Change::run(REREAD));
            }
            return Ok(changes);
        };
        let mut changes = Vec::new();
        if !host.exists(&nfs.export) {
            changes.push(Change::Make { path: PathBuf::from(nfs.export.as_ref()), mode: 0o755 });
        }
        let text = exports(node.intent, nfs);
        changes.extend(if serves {
            file_for(host, self.name(), EXPORTS, &text, REREAD)?
        } else {
            file(host, EXPORTS, &text)?
        });
        changes.extend(enabled(host, UNIT)?);
        Ok(changes)
    }
}

/// What this node exports.
pub(crate) fn served(intent: &Intent) -> Option<&Nfs> {
    intent.cluster.member(intent.address, &intent.name)?.nfs.as_ref()
}

/// A line of exports(5). Pods write as root, and root is not squashed, so each
/// machine is named.
fn exports(intent: &Intent, nfs: &Nfs) -> String {
    let mut machines: BTreeSet<IpAddr> =
        intent.cluster.nodes.iter().map(|node| node.address).collect();
    machines.insert(intent.address);
    let masters = intent.join.iter().flat_map(JoinFile::all_masters);
    machines.extend(masters.map(|master| master.address));
    let machines = machines.iter();
    let clients: String = machines
        .map(|address| format!(" {address}(rw,sync,no_subtree_check,no_root_squash)"))
        .collect();
    format!("# Written by kubeferry.\n{}{clients}\n", nfs.export)
}

/// Kernel modules that the server and mounts load themselves.
pub(crate) fn modules(intent: &Intent) -> Vec<&'static str> {
    let mut names = Vec::new();
    if intent.cluster.nodes.iter().any(|node| node.nfs.is_some()) {
        names.push("nfs");
    }
    if served(intent).is_some() {
        names.push("nfsd");
    }
    names
}

/// The server and its clients need a package; this says if the bundle lacks it.
pub(crate) fn problem(host: &Host, intent: &Intent) -> anyhow::Result<Option<Failure>> {
    let Some(server) = intent.cluster.nodes.iter().find(|node| node.nfs.is_some()) else {
        return Ok(None);
    };
    let mut rpms = intent.lock().rpms.iter();
    let brings = rpms.any(|rpm| rpm.target == intent.target.id && rpm.package.name == PACKAGE);
    let is_lacking = !brings && !packages::names(host)?.contains(PACKAGE);
    Ok(is_lacking.then(|| {
        Failure::new(
            format!(
                "{} serves NFS, and {PACKAGE} is neither on this node nor in the bundle for {}",
                server.name, intent.target.id
            ),
            format!(
                "add {PACKAGE} to the target's `packages` in the spec and make a new bundle, or \
                 take `nfs` out of the cluster file"
            ),
        )
    }))
}
