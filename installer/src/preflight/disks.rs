//! Room for what is to come, on the disks that it comes to.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{StatVfsMountFlags, statvfs};

use crate::failure::Failure;
use crate::host::Host;
use crate::step::Intent;
use crate::steps::{images, packages};

/// A disk, by the folders on it that are written to.
struct Disk {
    folders: Vec<&'static str>,
    free: u64,
    needed: u64,
    is_read_only: bool,
}

pub(super) fn problems(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let missing = packages::missing(host, intent)?;
    let missing: BTreeSet<String> = missing.into_iter().map(ToString::to_string).collect();
    let rpms = intent.lock().rpms.iter();
    let rpms = rpms
        .filter(|rpm| rpm.target == intent.target.id && missing.contains(&rpm.package.to_string()));
    let rpms = sum(rpms.map(|rpm| rpm.size));
    let layers = images::to_come(host, intent)?;
    let layers = layers.into_iter().flat_map(|image| &image.platforms);
    let layers = sum(layers.flat_map(|platform| &platform.layers).map(|layer| layer.size));
    // Packages lie beside what they unpack to, some three times their size;
    // containerd keeps layers beside what they unpack to, as much again.
    let folders = [
        ("/etc", 0),
        ("/opt", 0),
        ("/usr", rpms.saturating_mul(3)),
        ("/var/lib/kubeferry", rpms),
        ("/var/lib/containerd", layers.saturating_mul(4)),
    ];
    let mut disks: BTreeMap<u64, Disk> = BTreeMap::new();
    for (folder, needed) in folders {
        let there = Path::new(folder).ancestors().map(|folder| host.path(folder));
        let Some(there) = there.into_iter().find(|folder| folder.exists()) else { continue };
        let (Ok(meta), Ok(disk)) = (there.metadata(), statvfs(&there)) else { continue };
        let entry = disks.entry(meta.dev()).or_insert_with(|| Disk {
            folders: Vec::new(),
            free: disk.f_bavail.saturating_mul(disk.f_frsize),
            needed: 0,
            is_read_only: disk.f_flag.contains(StatVfsMountFlags::RDONLY),
        });
        entry.folders.push(folder);
        entry.needed = entry.needed.saturating_add(needed);
    }
    Ok(disks.into_values().filter_map(|disk| problem(&disk)).collect())
}

fn sum(sizes: impl Iterator<Item = u64>) -> u64 {
    sizes.fold(0, u64::saturating_add)
}

fn problem(disk: &Disk) -> Option<Failure> {
    let folders = disk.folders.join(", ");
    if disk.is_read_only {
        return Some(Failure::new(
            format!("the disk with {folders} can only be read"),
            "`dmesg` says why, where an error made it so; `mount -o remount,rw` and its mount point",
        ));
    }
    (disk.free < disk.needed).then(|| {
        let (free, needed) = (disk.free >> 20, disk.needed >> 20);
        Failure::new(
            format!("the disk with {folders} has {free} MB free, and {needed} MB are needed"),
            "make room, or mount a larger disk there",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_disk_lacks_is_told() {
        let told = |free, needed, is_read_only| {
            let folders = vec!["/opt", "/usr"];
            let disk = Disk { folders, free, needed, is_read_only };
            problem(&disk).map(|problem| problem.to_string())
        };
        assert_eq!(told(2 << 20, 2 << 20, false), None);
        assert_eq!(
            told(1 << 20, 5 << 20, false).unwrap(),
            "the disk with /opt, /usr has 1 MB free, and 5 MB are needed"
        );
        assert_eq!(told(9, 0, true).unwrap(), "the disk with /opt, /usr can only be read");
    }
}
