//! etcd's data of before an upgrade, for a way back on which nothing else is left: the newer
//! etcd does not answer, and no other master has the older one. What the cluster was told
//! since is lost.

use std::path::Path;

use anyhow::Context;
use rustix::fs::statvfs;
use x509_cert::der::DateTime;

use super::etcd::{self, AGREED, Way, is_asleep, way};
use super::returning::Return;
use crate::backup::Etcd;
use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::node::kubeadm::may_have_other_masters;
use crate::node::paths::{ETCD, UPGRADE};
use crate::node::systemd::unit_told;
use crate::steps::upgrade::copy::SNAPSHOT;

/// The bytes that etcd's log needs beside a restored snapshot: two segments of 64 MB, because
/// etcd makes the next one ahead (etcd's `server/storage/wal/wal.go`).
const LOG: u64 = 128 << 20;

/// The commands that make etcd's data from the snapshot. The newer etcd's stay until there are
/// others: it may yet be brought to answer.
pub(super) fn restore(host: &Host, own: &Return) -> anyhow::Result<Vec<Command>> {
    let (_, file) = SNAPSHOT.rsplit_once('/').context("the snapshot has no folder")?;
    let cluster = format!("kubeferry-{}", own.upgrade.bundle.hex());
    let etcd = Etcd::of(etcd::image_before(host)?)?;
    let [make, place, clean] = etcd.restore(UPGRADE, file, &own.name, own.address, &cluster);
    let mut commands = Etcd::clearing(host);
    commands.extend([make, Etcd::removing(), place, clean]);
    Ok(commands)
}

/// When the snapshot was made, in UTC.
pub fn made(host: &Host) -> anyhow::Result<String> {
    let file = host.path(SNAPSHOT).metadata().with_context(|| format!("looking at {SNAPSHOT}"))?;
    let time = file.modified().with_context(|| format!("looking at {SNAPSHOT}"))?;
    Ok(DateTime::from_system_time(time).context("reading the snapshot's time")?.to_string())
}

/// What is in the way of a way back that somebody wants to make from the snapshot.
pub(super) fn problem(host: &Host) -> anyhow::Result<Option<Failure>> {
    // It was agreed to before, and goes on.
    if host.exists(AGREED) {
        return Ok(None);
    }
    if is_asleep(host)? && unit_told(host, "is-active", "kubelet")? == "inactive" {
        return Ok(Some(Failure::new(
            "kubelet does not run, so nobody has asked etcd yet",
            "leave out --from-snapshot first: that starts kubelet, and etcd may answer then",
        )));
    }
    if !matches!(way(host)?, Way::Unknown | Way::Snapshot) {
        return Ok(Some(Failure::new(
            "etcd's data need no snapshot: the older etcd will read them as they are, or the newer \
             one brings them to their older form",
            "leave out --from-snapshot: then nothing is lost",
        )));
    }
    if may_have_other_masters(host) {
        return Ok(Some(Failure::new(
            "the snapshot is of one master, and this cluster may have several",
            "leave out --from-snapshot: that says what can be done",
        )));
    }
    let Some(size) = host.path(SNAPSHOT).metadata().ok().map(|file| file.len()) else {
        return Ok(Some(Failure::new(
            format!("{SNAPSHOT} is gone"),
            "restore a backup: `installer manual backup`",
        )));
    };
    let disk = statvfs(host.path(Path::new(ETCD))).with_context(|| format!("looking at {ETCD}"))?;
    let free = disk.f_bavail * disk.f_frsize;
    Ok((free < size + LOG).then(|| {
        Failure::new(
            format!(
                "the snapshot has {} MiB, and the disk of {ETCD} has {} MiB left",
                size >> 20,
                free >> 20
            ),
            "make room there: the newer data go when the older ones are whole",
        )
    }))
}
