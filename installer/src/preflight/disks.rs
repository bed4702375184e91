//! Free space on the disks that an install writes to.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{StatVfsMountFlags, statvfs};

use crate::failure::Failure;
use crate::host::Host;
use crate::intent::Intent;
use crate::node::paths::{CONTAINERD_DATA, KUBELET};
use crate::preflight::earlier::has_begun;
use crate::steps::{images, packages};

/// A disk, and the folders on it that are written.
#[derive(Default)]
struct Disk {
    folders: Vec<&'static str>,
    size: u64,
    free: u64,
    /// The bytes that are certainly needed, and those that may be.
    needed: [u64; 2],
    is_read_only: bool,
    /// The free space that kubelet requires, in percent.
    kept_free: u64,
    /// Free inodes, in percent; none if the file system makes them as needed.
    files: Option<u64>,
}

/// Below these percentages kubelet removes images, which cannot be pulled again here,
/// and starts no pods (kubernetes.io, "Node-pressure Eviction", hard thresholds):
/// `imagefs.available`, `nodefs.available`, `nodefs.inodesFree`.
const KEPT_FREE: [(&str, u64); 2] = [(CONTAINERD_DATA, 15), (KUBELET, 10)];
const KEPT_FILES: u64 = 5;

/// The space that containerd needs for a layer, in tenths of its size in the bundle:
/// the layer itself, and its unpacked files. These were 1.8 to 3.7 times as large for
/// the eleven layers above 200 KB of Kubernetes 1.28's images and Calico's, and 3.2
/// times for all together (by the sizes at the ends of their gzip streams, November
/// 2026).
const OF_LAYERS: [u64; 2] = [28, 47];

pub(super) fn problems(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    Ok(disks(host, intent)?.iter().filter_map(problem).collect())
}

pub(super) fn warnings(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    Ok(disks(host, intent)?.iter().filter_map(warning).collect())
}

fn disks(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Disk>> {
    let missing = packages::missing(host, intent)?;
    let missing: BTreeSet<String> = missing.into_iter().map(ToString::to_string).collect();
    let rpms = intent.lock().rpms.iter();
    let rpms = rpms
        .filter(|rpm| rpm.target == intent.target.id && missing.contains(&rpm.package.to_string()));
    let rpms = sum(rpms.map(|rpm| rpm.size));
    let layers = images::to_come(host, intent)?;
    let layers = layers.into_iter().flat_map(|image| &image.platforms);
    let layers = sum(layers.flat_map(|platform| &platform.layers).map(|layer| layer.size));
    // Packages lie beside their unpacked files, which are about three times as
    // large.
    let folders = [
        ("/etc", [0; 2]),
        ("/opt", [0; 2]),
        ("/usr", [rpms.saturating_mul(3); 2]),
        ("/var/lib/kubeferry", [rpms; 2]),
        (CONTAINERD_DATA, OF_LAYERS.map(|tenths| (layers / 10).saturating_mul(tenths))),
        (KUBELET, [0; 2]),
    ];
    // The percentages do not matter for a folder below `--root`, if the site set
    // others, or once the node has joined.
    let is_kept = host.is_this_system()
        && !has_begun(host)
        && !intent.cluster.kubelet.contains_key("evictionHard");
    let mut disks: BTreeMap<u64, Disk> = BTreeMap::new();
    for (folder, needed) in folders {
        let there = Path::new(folder).ancestors().map(|folder| host.path(folder));
        let Some(there) = there.into_iter().find(|folder| folder.exists()) else { continue };
        let (Ok(meta), Ok(disk)) = (there.metadata(), statvfs(&there)) else { continue };
        let entry = disks.entry(meta.dev()).or_insert_with(|| Disk {
            size: disk.f_blocks.saturating_mul(disk.f_frsize),
            free: disk.f_bavail.saturating_mul(disk.f_frsize),
            is_read_only: disk.f_flag.contains(StatVfsMountFlags::RDONLY),
            ..Disk::default()
        });
        if let Some((_, kept)) = KEPT_FREE.iter().find(|(one, _)| *one == folder && is_kept) {
            entry.kept_free = entry.kept_free.max(*kept);
            entry.files = disk.f_ffree.saturating_mul(100).checked_div(disk.f_files);
        }
        entry.folders.push(folder);
        for (all, more) in entry.needed.iter_mut().zip(needed) {
            *all = all.saturating_add(more);
        }
    }
    Ok(disks.into_values().collect())
}

fn sum(sizes: impl Iterator<Item = u64>) -> u64 {
    sizes.fold(0, u64::saturating_add)
}

fn problem(disk: &Disk) -> Option<Failure> {
    let folders = disk.folders.join(", ");
    if disk.is_read_only {
        return Some(Failure::new(
            format!("the disk with {folders} is read-only"),
            "`dmesg` says why, if an error caused it; `mount -o remount,rw` and its mount point",
        ));
    }
    if let Some((what, cure)) = lacks(disk, disk.needed[0], "are needed", "will") {
        return Some(Failure::new(what, cure));
    }
    let files = disk.files.filter(|files| *files < KEPT_FILES)?;
    Some(Failure::new(
        format!(
            "the disk with {folders} has {files} % of its inodes free, and with less than \
             {KEPT_FILES} % kubelet starts no pod"
        ),
        "remove small files that nobody needs (`df -i`), or mount another disk there",
    ))
}

/// The warning if a disk is large enough only for images that unpack to little.
fn warning(disk: &Disk) -> Option<Failure> {
    if problem(disk).is_some() {
        return None;
    }
    let (what, cure) = lacks(disk, disk.needed[1], "may be needed", "may")?;
    Some(Failure::new(what, cure))
}

/// What is missing on a disk that gets so many bytes, and the cure.
fn lacks(disk: &Disk, needed: u64, are: &str, will: &str) -> Option<(String, &'static str)> {
    let folders = disk.folders.join(", ");
    let (free, all) = (disk.free >> 20, needed >> 20);
    if disk.free < needed {
        let what = format!("the disk with {folders} has {free} MB free, and {all} MB {are}");
        return Some((what, "make room, or mount a larger disk there"));
    }
    // Percent first, because the product could overflow.
    let kept = (disk.size / 100).saturating_mul(disk.kept_free);
    let left = disk.free - needed;
    (left < kept).then(|| {
        let (left, kept) = (left >> 20, kept >> 20);
        let what = format!(
            "the disk with {folders} {will} have {left} MB free, and kubelet needs {kept} MB \
             ({} %): with less it removes images, and starts no pod",
            disk.kept_free
        );
        let cure = "make room, or mount a larger disk there; or have lower thresholds in the \
                    cluster file, `kubelet: {evictionHard: …}`";
        (what, cure)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_disk_lacks_is_told() {
        let told = |free, needed, is_read_only| {
            let folders = vec!["/opt", "/usr"];
            let needed = [needed; 2];
            let disk = Disk { folders, free, needed, is_read_only, ..Disk::default() };
            problem(&disk).map(|problem| problem.to_string())
        };
        assert_eq!(told(2 << 20, 2 << 20, false), None);
        assert_eq!(
            told(1 << 20, 5 << 20, false).unwrap(),
            "the disk with /opt, /usr has 1 MB free, and 5 MB are needed"
        );
        assert_eq!(told(9, 0, true).unwrap(), "the disk with /opt, /usr is read-only");
    }

    #[test]
    fn what_kubelet_would_evict_by_is_told() {
        let told = |free: u64, files| {
            let (size, needed, kept_free) = (1000 << 20, [100 << 20; 2], 15);
            let folders = vec!["/var"];
            let free = free << 20;
            problem(&Disk { folders, size, free, needed, kept_free, files, is_read_only: false })
                .map(|problem| problem.to_string())
        };
        assert_eq!(told(251, Some(5)), None);
        let words = told(240, None).unwrap();
        assert!(words.contains("will have 140 MB free") && words.contains("150 MB"), "{words}");
        assert!(told(251, Some(4)).unwrap().contains("has 4 % of its inodes free"));
    }

    #[test]
    fn what_images_may_take_is_warned_of() {
        let told = |free: u64, kept_free| {
            let (size, folders, needed) = (1000 << 20, vec!["/var"], [280 << 20, 470 << 20]);
            let disk =
                Disk { folders, size, free: free << 20, needed, kept_free, ..Disk::default() };
            [problem(&disk), warning(&disk)].map(|one| one.map(|one| one.to_string()))
        };
        assert_eq!(told(470, 0), [None, None]);
        let [problem, warning] = told(469, 0);
        assert_eq!(problem, None);
        let words = "the disk with /var has 469 MB free, and 470 MB may be needed";
        assert_eq!(warning.as_deref(), Some(words));
        let [problem, warning] = told(600, 15);
        assert!(problem.is_none() && warning.unwrap().contains("may have 130 MB free"));
        // It is reported once.
        assert!(matches!(told(279, 0), [Some(_), None]));
    }
}
