//! Whether etcd is well before an upgrade.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;

use rustix::fs::statvfs;

use crate::failure::Failure;
use crate::host::Host;
use crate::node::etcd::RunningEtcd;
use crate::node::paths::{ETCD, KUBERNETES, UPGRADE};

/// etcd answers, has no alarm, and its disk has room for a snapshot and for kubeadm's own
/// copy of the data.
pub(super) fn problems(host: &Host) -> anyhow::Result<Vec<Failure>> {
    let mut found = Vec::new();
    let Some(etcd) = RunningEtcd::running(host)? else {
        return Ok(vec![Failure::new(
            "etcd does not run on this node",
            "`installer doctor` says why",
        )]);
    };
    for (question, what) in [("endpoint health", "is not healthy"), ("alarm list", "has an alarm")]
    {
        let said = host.answer(&etcd.etcdctl(question))?;
        if !said.succeeded() || question == "alarm list" && !said.stdout.trim().is_empty() {
            found.push(Failure::new(
                format!(
                    "etcd {what}: {}",
                    [said.stdout.trim(), said.stderr.trim()].join(" ").trim()
                ),
                "`crictl logs` of etcd's container says more; fix that first",
            ));
        }
    }
    found.extend(members(host, &etcd)?);
    found.extend(room(host));
    Ok(found)
}

/// The failures of other members: each must answer and have a vote, because this one is away
/// for a while.
fn members(host: &Host, etcd: &RunningEtcd) -> anyhow::Result<Vec<Failure>> {
    let members = etcd.members(host)?;
    let silent = etcd.silent(host, members.all.iter().filter(|one| !one.is_learner));
    let learners = members.all.iter().filter(|one| one.is_learner);
    let failure = |name: &str, what: &str| {
        Failure::new(
            format!("the member {name} of etcd {what}"),
            format!(
                "`installer doctor` there says what is wrong; if it is lost for good: `installer \
                 remove {name}` here"
            ),
        )
    };
    let silent = silent.into_iter().map(|one| failure(one.called(), "does not answer"));
    Ok(silent.chain(learners.map(|one| failure(one.called(), "has no vote yet"))).collect())
}

/// The failures of disks without room for the copies of etcd's data: a snapshot that etcd
/// writes in its own folder, and what it writes meanwhile; that snapshot in its place; and
/// kubeadm's copy.
fn room(host: &Host) -> Vec<Failure> {
    let used = host.path(ETCD).join("member/snap/db").metadata().map_or(0, |file| file.len());
    let mut disks: BTreeMap<u64, (Vec<&str>, u64)> = BTreeMap::new();
    for (folder, copies) in [(ETCD, 2), (KUBERNETES, 1), ("/var/lib", 1)] {
        let Ok(place) = host.path(folder).metadata() else { continue };
        let (folders, all) = disks.entry(place.dev()).or_default();
        folders.push(folder);
        *all += copies;
    }
    let lacking = disks.into_values().filter_map(|(folders, copies)| {
        let disk = statvfs(host.path(folders.first()?)).ok()?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        let needed = used.saturating_mul(copies);
        (free < needed).then(|| {
            Failure::new(
                format!(
                    "{} copies of etcd's data need {} MiB, and the disk of {} has {} MiB left",
                    copies,
                    needed >> 20,
                    folders.join(", "),
                    free >> 20
                ),
                format!("make room there: they lie in {UPGRADE} and in kubeadm's folder"),
            )
        })
    });
    lacking.collect()
}
