//! File systems on which containers, kubelet or etcd do not work, or which lose their
//! data at the next boot.

use std::path::{Path, PathBuf};

use anyhow::Context;
use rustix::fs::{Dir, FileType, Mode, OFlags, open};
use serde_json::Value;
use toml_edit::{Item, TableLike};

use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::host::place::unescaped;
use crate::intent::Intent;
use crate::node::containerd::told;
use crate::node::paths::{CONTAINERD_DATA, ETCD, KUBELET};
use crate::preflight::earlier::has_begun;
use crate::role::Role;
use crate::steps::manifests;

/// File systems that cannot hold the upper layer of an overlay (kernel.org, "Overlay
/// Filesystem", "upper and lower"). overlayfs is containerd's default (its
/// `docs/snapshotters`).
const NO_UPPER: [&str; 14] = [
    "9p", "afs", "aufs", "ceph", "cifs", "ecryptfs", "exfat", "msdos", "nfs", "nfs4", "ntfs3",
    "overlay", "smb3", "vfat",
];
/// File systems in memory.
const IN_MEMORY: [&str; 2] = ["tmpfs", "ramfs"];
/// Network file systems. etcd's documents advise against them, because each write
/// waits for the network ("Hardware recommendations", "Disks").
const OF_NETWORK: [&str; 6] = ["9p", "ceph", "cifs", "nfs", "nfs4", "smb3"];

/// The folder of CNI's programs (containerd's `bin_dir`).
const CNI: &str = "/opt/cni/bin";

/// This process's mounts.
const OWN: &str = "/proc/self/mountinfo";
/// systemd's mounts, which kubelet has too. `su` and `sudo` may start programs with
/// private mounts of their own (pam_namespace(8), linux-pam#331).
const OF_SYSTEMD: &str = "/proc/1/mountinfo";

/// A line of `/proc/self/mountinfo` (proc(5)).
struct Mount {
    at: PathBuf,
    kind: String,
    options: Vec<String>,
    is_shared: bool,
    /// Whether mounts made elsewhere appear here.
    is_slave: bool,
}

/// All mounts, in order. A later one at the same place covers an earlier one.
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
            is_slave: front.iter().skip(6).any(|word| word.starts_with("master:")),
        })
    };
    Ok(text.lines().filter_map(mount).collect())
}

/// The mount that a folder is on, or will be on. Links are followed as far as they
/// exist.
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
    // The step reports a configuration that cannot be read.
    let config = told::configuration(host).unwrap_or_default();
    let root = config.get("root").and_then(Item::as_str).unwrap_or(CONTAINERD_DATA);
    // A live system loses everything at its end, its cluster too.
    let is_live = |mount: &Mount| mount.at == Path::new("/");
    // Their content must outlast a boot. For kubelet's folder a warning is enough.
    let etcds = (intent.role == Role::Master).then_some(ETCD);
    for folder in [root].into_iter().chain(etcds) {
        let mount = mount_of(host, &mounts, folder);
        if let Some(mount) = mount.filter(|mount| mount.is_in_memory() && !is_live(mount)) {
            found.push(in_memory(folder, mount));
        }
    }
    if let Some(mount) = mount_of(host, &mounts, root)
        && stacks_by_overlay(&config)
    {
        found.extend(no_overlay(host, root, mount)?);
    }
    if let Some(mount) = mount_of(host, &mounts, CNI).filter(|one| one.has("noexec")) {
        found.push(Failure::new(
            format!(
                "no program in {CNI} can run, because {} is mounted noexec",
                mount.at.display()
            ),
            cure_of_option(mount, "exec"),
        ));
    }
    // kubelet has systemd's mounts.
    let of_systemd = mounts_of(host, OF_SYSTEMD)?;
    let seen = if of_systemd.is_empty() { &mounts } else { &of_systemd };
    for (folder, whole) in propagated(intent) {
        let mount = mount_of(host, seen, &folder);
        let is_short = |one: &&Mount| !one.is_shared && (whole || !one.is_slave);
        if let Some(mount) = mount.filter(is_short) {
            found.push(Failure::new(
                format!(
                    "mounts at {} are private, and pods of the bundle's manifests share those of \
                     {folder}",
                    mount.at.display()
                ),
                cure_of_private(mount),
            ));
            break;
        }
    }
    Ok(found)
}

fn in_memory(folder: &str, mount: &Mount) -> Failure {
    Failure::new(
        format!(
            "{folder} is in memory ({} at {}), and its content is gone after the next boot",
            mount.kind,
            mount.at.display()
        ),
        "mount a disk there, with ext4 or XFS",
    )
}

/// The node's folders whose mounts the bundle's pods share, each with whether the
/// pods mount there themselves (`Bidirectional`: containerd refuses to start them if
/// the folder's mount is not shared).
fn propagated(intent: &Intent) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    for manifest in manifests::wanted(intent) {
        // Another check reports what cannot be read.
        let Ok(bytes) = intent.bundle.read(&manifest.applied) else { continue };
        let text = String::from_utf8_lossy(&bytes);
        if text.contains("mountPropagation") {
            let all: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap_or_default();
            all.iter().for_each(|document| find_propagated(document, &mut found));
        }
    }
    found
}

/// Finds pods in a document, at any depth.
fn find_propagated(value: &Value, found: &mut Vec<(String, bool)>) {
    let volumes = value["volumes"].as_array().into_iter().flatten();
    let paths: Vec<(&Value, &str)> = volumes
        .filter_map(|volume| Some((&volume["name"], volume["hostPath"]["path"].as_str()?)))
        .collect();
    let containers = ["initContainers", "containers"].map(|key| value[key].as_array());
    let containers = containers.into_iter().flatten().flatten();
    let mounts = containers.filter_map(|one| one["volumeMounts"].as_array()).flatten();
    for mount in mounts {
        let whole = match mount["mountPropagation"].as_str() {
            Some("Bidirectional") => true,
            Some("HostToContainer") => false,
            _ => continue,
        };
        let of_name = paths.iter().filter(|(name, _)| *name == &mount["name"]);
        found.extend(of_name.map(|(_, path)| ((*path).to_owned(), whole)));
    }
    match value {
        Value::Object(map) => map.values().for_each(|inner| find_propagated(inner, found)),
        Value::Array(list) => list.iter().for_each(|inner| find_propagated(inner, found)),
        _ => {}
    }
}

fn cure_of_private(mount: &Mount) -> String {
    format!(
        "`mount --make-rshared {}`, also at each start: systemd does so for /",
        mount.at.display()
    )
}

pub(super) fn warnings(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let mounts = mounts_of(host, OWN)?;
    let mut found = Vec::new();
    let noexec = mount_of(host, &mounts, KUBELET).filter(|mount| mount.has("noexec"));
    if let Some(mount) = noexec {
        found.push(Failure::new(
            format!(
                "{} is mounted noexec: pods that bring programs along in a volume of {KUBELET} \
                 cannot run them",
                mount.at.display()
            ),
            cure_of_option(mount, "exec"),
        ));
    }
    if has_begun(host) {
        return Ok(found);
    }
    let root = mount_of(host, &mounts, "/").filter(|mount| mount.is_in_memory());
    if root.is_some() {
        found.push(Failure::new(
            "this system is in memory, and the node is gone after the next boot",
            "install the system on a disk, or expect to set up the node again after each boot",
        ));
    } else if let Some(mount) = mount_of(host, &mounts, KUBELET).filter(|one| one.is_in_memory()) {
        found.push(in_memory(KUBELET, mount));
    }
    let etcds = mount_of(host, &mounts, ETCD).filter(|_| intent.role == Role::Master);
    if let Some(mount) = etcds.filter(|mount| OF_NETWORK.contains(&mount.kind.as_str())) {
        found.push(Failure::new(
            format!(
                "{ETCD} is on the network ({} at {}): etcd waits for each write there, and the \
                 cluster stands still while the network does",
                mount.kind,
                mount.at.display()
            ),
            "mount a disk of this node there, with ext4 or XFS",
        ));
    }
    let of_systemd = mounts_of(host, OF_SYSTEMD)?;
    let is_shared = mount_of(host, &of_systemd, KUBELET).is_some_and(|one| one.is_shared);
    let own = mount_of(host, &mounts, KUBELET).filter(|one| !one.is_shared && !is_shared);
    if let Some(mount) = own.filter(|_| propagated(intent).is_empty()) {
        found.push(Failure::new(
            format!(
                "mounts at {} are private: pods that mount for others, as drivers of storage do, \
                 do not start",
                mount.at.display()
            ),
            cure_of_private(mount),
        ));
    }
    Ok(found)
}

/// Whether no other snapshotter is set, in the place of any version.
fn stacks_by_overlay(config: &dyn TableLike) -> bool {
    config.iter().all(|(key, item)| match (key, item.as_table_like()) {
        (_, Some(inner)) => stacks_by_overlay(inner),
        ("snapshotter", None) => matches!(item.as_str(), Some("" | "overlayfs")),
        _ => true,
    })
}

impl Mount {
    fn is_in_memory(&self) -> bool {
        IN_MEMORY.contains(&self.kind.as_str())
    }

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

/// Why containerd cannot stack layers there.
fn no_overlay(host: &Host, root: &str, mount: &Mount) -> anyhow::Result<Option<Failure>> {
    let (at, kind) = (mount.at.display(), &mount.kind);
    if NO_UPPER.contains(&kind.as_str()) || kind.starts_with("fuse") {
        return Ok(Some(Failure::new(
            format!("containerd's {root} is on {kind} (at {at}), where overlayfs does not work"),
            format!("mount a disk at {root}, with ext4 or XFS"),
        )));
    }
    // Without file types in its folders, an overlay loses what a layer deletes.
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

/// What `xfs_info` says; without it, what the folder's entries show.
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
