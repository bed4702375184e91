//! Whether etcd is well before an upgrade.

use rustix::fs::statvfs;

use crate::failure::Failure;
use crate::host::Host;
use crate::node::etcd::RunningEtcd;
use crate::node::paths::{ETCD, UPGRADE};

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
    let used = host.path(ETCD).join("member/snap/db").metadata().map_or(0, |file| file.len());
    for (folder, copies) in [(ETCD, 2), ("/etc/kubernetes", 1), ("/var/lib", 1)] {
        let Ok(disk) = statvfs(host.path(folder)) else { continue };
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free < used.saturating_mul(copies) {
            found.push(Failure::new(
                format!(
                    "etcd has {} MiB of data, and the disk of {folder} has {} MiB left",
                    used >> 20,
                    free >> 20
                ),
                format!(
                    "make room there: copies of the data lie in {UPGRADE} and in kubeadm's folder"
                ),
            ));
        }
    }
    Ok(found)
}
