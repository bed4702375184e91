//! File systems on which containers, kubelet and etcd do not work, or from which what
//! they keep is gone after the next start.

use crate::node::containerd::told;
use crate::node::paths::{CONTAINERD_DATA, ETCD, KUBELET};
use std::path::{Path, PathBuf};

use anyhow::Context;
use rustix::fs::{Dir, FileType, Mode, OFlags, open};
use toml_edit::{Item, TableLike};

use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::host::place::unescaped;
use crate::intent::Intent;
use crate::preflight::earlier::has_begun;
use crate::role::Role;

/// Over which no overlay can be mounted: kernel.org, "Overlay Filesystem", "upper and
/// lower"; containerd's `docs/snapshotters` has overlayfs as the default.
const NO_UPPER: [&str; 14] = [
    "9p", "afs", "aufs", "ceph", "cifs", "ecryptfs", "exfat", "msdos", "nfs", "nfs4", "ntfs3",
    "overlay", "smb3", "vfat",
];
/// Which are in memory.
const IN_MEMORY: [&str; 2] = ["tmpfs", "ramfs"];
/// Where etcd's documents want none of its data.
const OF_NETWORK: [&str; 6] = ["9p", "ceph", "cifs", "nfs", "nfs4", "smb3"];

/// Where CNI's programs are run from (containerd's `bin_dir`).
const CNI: &str = "/opt/cni/bin";

/// This process's mounts.
const OWN: &str = "/proc/self/mountinfo";
/// systemd's, and so kubelet's: `su` and `sudo` may give those whom they start mounts of
/// their own, which are not shared (pam_namespace(8), linux-pam#331).
const OF_SYSTEMD: &str = "/proc/1/mountinfo";

/// A line of `/proc/self/mountinfo` (proc(5)).
struct Mount {
    at: PathBuf,
    kind: String,
    options: Vec<String>,
    is_shared: bool,
}

/// What is mounted, in order: a later one at the same place is over an earlier one.
fn mounts_of(host: &Host, path: &str) -> anyhow::Result<Vec<Mount>> {
    let text = host.read(path)?.unwrap_or_default();
    let mount = |line: &str| {
        let (front, back) = line.split_once(" - ")?;
        let front: Vec<&str> = front.split(' ').collect();
        Some(Mount {
            at: unescaped(front.get(4)?).into(),
            kind: back.split(' ').next()?.to_owned(),
            options: front.get(5)?.split(',').map(str::to_owned).collect(),
            is_shared: front.iter().skip(6).any(|word| word.starts_with("shared:")),
        })
    };
    Ok(text.lines().filter_map(mount).collect())
}

/// The mount that a folder is on, or will be: links are followed as far as they go.
fn mount_of<'a>(host: &Host, mounts: &'a [Mount], folder: &str) -> Option<&'a Mount> {
    let (root, folder) = (host.path("/"), Path::new(folder));
    let there = folder.ancestors().find(|one| host.path(one).exists())?;
    let real = host.path(there).canonicalize().ok();
    let real = real.and_then(|real| Some(real.strip_prefix(&root).ok()?.to_owned()));
    let real = real.map_or_else(|| there.to_owned(), |real| Path::new("/").join(real));
    let place = real.join(folder.strip_prefix(there).ok()?);
    let over = mounts.iter().filter(|mount| place.starts_with(&mount.at));
    over.max_by_key(|mount| mount.at.as_os_str().len())
}

pub(super) fn problems(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let mounts = mounts_of(host, OWN)?;
    if mounts.is_empty() || has_begun(host) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    // One that cannot be read is told by the plan of its step.
    let config = told::configuration(host).unwrap_or_default();
    let root = config.get("root").and_then(Item::as_str).unwrap_or(CONTAINERD_DATA);
    let mut kept = vec![root, KUBELET];
    if intent.role == Role::Master {
        kept.push(ETCD);
    }
    for folder in kept {
        let Some(mount) = mount_of(host, &mounts, folder) else { continue };
        let (at, kind) = (mount.at.display(), &mount.kind);
        if IN_MEMORY.contains(&kind.as_str()) {
            found.push(Failure::new(
                format!("{folder} is in memory ({kind} at {at}), and gone after the next start"),
                "mount a disk there, with ext4 or XFS",
            ));
        } else if folder == ETCD && OF_NETWORK.contains(&kind.as_str()) {
            found.push(Failure::new(
                format!("{folder} is on the network ({kind} at {at}), where etcd loses data"),
                "mount a disk of this node there, with ext4 or XFS",
            ));
        }
    }
    if let Some(mount) = mount_of(host, &mounts, root)
        && stacks_by_overlay(&config)
    {
        found.extend(no_overlay(host, root, mount)?);
    }
    if let Some(mount) = mount_of(host, &mounts, CNI).filter(|one| one.has("noexec")) {
        found.push(Failure::new(
            format!("no program of {CNI} can be run, for {} is mounted noexec", mount.at.display()),
            cure_of_option(mount, "exec"),
        ));
    }
    // Pods that mount for others, as Calico's and drivers of storage, are refused else.
    let of_systemd = mounts_of(host, OF_SYSTEMD)?;
    let is_shared = mount_of(host, &of_systemd, KUBELET).is_some_and(|one| one.is_shared);
    let own = mount_of(host, &mounts, KUBELET);
    if let Some(mount) = own.filter(|one| !one.is_shared && !is_shared) {
        found.push(Failure::new(
            format!("mounts at {} are private, so that pods cannot share any", mount.at.display()),
            format!(
                "`mount --make-rshared {}`, also at each start: systemd does so for /",
                mount.at.display()
            ),
        ));
    }
    Ok(found)
}

pub(super) fn warnings(host: &Host, _: &Intent) -> anyhow::Result<Vec<Failure>> {
    let mounts = mounts_of(host, OWN)?;
    let kubelets = mount_of(host, &mounts, KUBELET).filter(|mount| mount.has("noexec"));
    let warning = |mount: &Mount| {
        Failure::new(
            format!(
                "{} is mounted noexec: pods that bring programs along in a volume of {KUBELET} \
                 cannot run them",
                mount.at.display()
            ),
            cure_of_option(mount, "exec"),
        )
    };
    Ok(kubelets.map(warning).into_iter().collect())
}

/// Whether no other way to stack layers is set, in whichever version's place.
fn stacks_by_overlay(config: &dyn TableLike) -> bool {
    config.iter().all(|(key, item)| match (key, item.as_table_like()) {
        (_, Some(inner)) => stacks_by_overlay(inner),
        ("snapshotter", None) => matches!(item.as_str(), Some("" | "overlayfs")),
        _ => true,
    })
}

impl Mount {
    fn has(&self, option: &str) -> bool {
        self.options.iter().any(|one| one == option)
    }
}

fn cure_of_option(mount: &Mount, option: &str) -> String {
    let at = mount.at.display();
    format!(
        "`mount -o remount,{option} {at}`, and take `no{option}` out of its line in /etc/fstab; or \
         mount another disk there"
    )
}

/// Why containerd's layers cannot be stacked there.
fn no_overlay(host: &Host, root: &str, mount: &Mount) -> anyhow::Result<Option<Failure>> {
    let (at, kind) = (mount.at.display(), &mount.kind);
    if NO_UPPER.contains(&kind.as_str()) || kind.starts_with("fuse") {
        return Ok(Some(Failure::new(
            format!("containerd's {root} is on {kind} (at {at}), where overlayfs does not work"),
            format!("mount a disk at {root}, with ext4 or XFS"),
        )));
    }
    // Without types in its folders an overlay loses what was deleted in a layer.
    if kind == "xfs" && lacks_types(host, &mount.at)? {
        return Ok(Some(Failure::new(
            format!("containerd's {root} is on an XFS without file types (ftype=0), at {at}"),
            format!(
                "mount another disk at {root}, made by `mkfs.xfs -n ftype=1` or `mkfs.ext4`: \
                 a file system keeps its ftype"
            ),
        )));
    }
    Ok(None)
}

/// As `xfs_info` has it; where there is none, as the folder's own entries do.
fn lacks_types(host: &Host, at: &Path) -> anyhow::Result<bool> {
    let said = host.answer(&Command::of("xfs_info").with(at.display().to_string()))?;
    if said.succeeded() {
        return Ok(said.stdout.split_ascii_whitespace().any(|word| word == "ftype=0"));
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let looking = || format!("looking at {}", at.display());
    let folder = open(host.path(at), flags, Mode::empty()).with_context(looking)?;
    let entries = Dir::read_from(&folder).with_context(looking)?;
    let own = entries.filter_map(Result::ok).filter(|entry| {
        let name = entry.file_name().to_bytes();
        name != b"." && name != b".."
    });
    let types: Vec<FileType> = own.map(|entry| entry.file_type()).collect();
    Ok(!types.is_empty() && types.iter().all(|kind| *kind == FileType::Unknown))
}
