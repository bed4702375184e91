//! etcd's snapshots: its own programs, which lie in its image beside it, make, check
//! and restore them.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use bundle_format::ImageReference;
use bundle_format::cluster::NodeName;
use serde::Deserialize;

use crate::exec::Command;
use crate::host::Host;
use crate::node::etcd::RunningEtcd;
use crate::node::paths::{ETCD, ETCD_MEMBER};

/// How long a snapshot may take. etcd's largest database has 8 GiB.
const PATIENCE: Duration = Duration::from_secs(1800);
/// Where a snapshot becomes a member's data.
const NEW: &str = "/var/lib/etcd/kubeferry-restore";
/// How the name of a container that restores a snapshot begins.
const CONTAINER: &str = "kubeferry-restore";
/// How much further the revision is after a restore. A client that has seen a later
/// revision than the snapshot's must not take the next ones for old
/// (etcd.io, "Disaster recovery": "Restoring with revision bump").
const BUMP: u64 = 1_000_000_000;

/// An etcd image, and the release in it.
#[derive(Clone, Debug)]
pub struct Etcd {
    image: ImageReference,
    release: (u32, u32),
}

impl Etcd {
    /// The one in `image`, whose tag begins with the release: `3.5.9-0`.
    pub fn of(image: ImageReference) -> anyhow::Result<Self> {
        let tag = image.tag().unwrap_or_default().trim_start_matches('v');
        let mut numbers = tag.split(['.', '-']).map(str::parse);
        let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else {
            bail!("the tag of {image} does not begin with a release of etcd");
        };
        Ok(Self { release: (major, minor), image })
    }

    /// What checks and restores snapshots. Images of etcd before 3.6 may lack etcdutl
    /// (kubernetes' `cluster/images/etcd/Makefile`), and its etcdctl can do both.
    fn utility(&self) -> &'static str {
        if self.can_raise_revision() { "etcdutl" } else { "etcdctl" }
    }

    /// Whether a restore can raise the revision, so that clients which have seen more
    /// than the snapshot has also see what comes next. etcd can from 3.6 on.
    pub(crate) fn can_raise_revision(&self) -> bool {
        self.release >= (3, 6)
    }

    /// The commands that remove what an interrupted restore has left.
    pub(crate) fn clearing(host: &Host) -> Vec<Command> {
        let left = host.query("ctr -n k8s.io containers list --quiet");
        let left = left.stdout.lines().map(str::trim).filter(|id| id.starts_with(CONTAINER));
        let mut commands: Vec<Command> =
            left.map(|id| Command::of(&format!("ctr -n k8s.io containers delete {id}"))).collect();
        commands.push(Command::of(&format!("rm -rf {NEW}")));
        commands
    }

    /// The command that removes etcd's data.
    pub(crate) fn removing() -> Command {
        Command::of(&format!("rm -rf {ETCD_MEMBER}"))
    }

    /// The commands that make etcd's data from the snapshot `file` in `folder`. etcdutl
    /// wants a new folder, and etcd's own may have a `lost+found`; so the data get their
    /// place, by a rename, when they are whole. `cluster` names the new cluster of etcd:
    /// members of the old one that come back must not take this one for theirs.
    pub(crate) fn restore(
        &self,
        folder: &str,
        file: &str,
        name: &NodeName,
        address: IpAddr,
        cluster: &str,
    ) -> [Command; 3] {
        let peer = format!("https://{address}:2380");
        let bump = match self.can_raise_revision() {
            true => format!(" --bump-revision {BUMP} --mark-compacted"),
            false => String::new(),
        };
        let run = format!(
            "ctr -n k8s.io run --rm --mount type=bind,src={ETCD},dst={ETCD},options=rbind:rw --mount \
             type=bind,src={folder},dst={folder},options=rbind:ro {} {CONTAINER}-{} {} snapshot \
             restore {folder}/{file} --data-dir {NEW} --name {name} --initial-cluster {name}={peer} \
             --initial-advertise-peer-urls {peer} --initial-cluster-token {cluster}{bump}",
            self.image,
            std::process::id(),
            self.utility(),
        );
        let place = format!("mv {NEW}/member {ETCD_MEMBER}");
        [run, place, format!("rmdir {NEW}")].map(|line| Command::of(&line))
    }
}

/// Has the running etcd write a snapshot to `path`, which must lie in its folder, and
/// checks it. Returns the revision of its last change.
pub(super) fn save(host: &Host, etcd: &Etcd, path: &Path) -> anyhow::Result<u64> {
    let running = RunningEtcd::here(host)?;
    let run = |what: &str, command: Command| {
        let command = command.with(path.to_string_lossy());
        match host.answer_within(&command, PATIENCE).with_context(|| what.to_owned())? {
            Some(said) if said.succeeded() => Ok(said.stdout),
            Some(said) => bail!("{what} failed: it {}", said.end()),
            None => bail!("{what} took longer than {} s", PATIENCE.as_secs()),
        }
    };
    run("making the snapshot of etcd", running.etcdctl("snapshot save"))?;
    let status = format!("{} --write-out json snapshot status", etcd.utility());
    let said = run("checking the snapshot of etcd", running.within(&status))?;
    let status: Status =
        serde_json::from_str(said.trim()).context("reading the snapshot's status")?;
    Ok(status.revision)
}

/// What `snapshot status` says.
#[derive(Deserialize)]
struct Status {
    revision: u64,
}
