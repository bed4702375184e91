//! From the inside of a node's new namespaces to its process 1: builds the mount
//! tree, makes it the root, and becomes systemd.

use std::ffi::CString;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind, mount_change,
    mount_remount, unmount,
};
use rustix::process::{chdir, pivot_root, umask};
use rustix::system::sethostname;

use super::namespaces::{BOUNDING_SET, OWN_FOLDERS};
use super::{Body, Node, STICK, STICK_FOLDER};
use crate::cgroup;

/// Devices that a container has, with their numbers (Linux's `devices.txt`).
const DEVICES: [(&str, u32, u32); 9] = [
    ("null", 1, 3),
    ("zero", 1, 5),
    ("full", 1, 7),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("kmsg", 1, 11),
    ("tty", 5, 0),
    ("fuse", 10, 229),
    ("net/tun", 10, 200),
];

/// Becomes process 1 of `node`. Returns only with an error.
pub fn become_init(node: &Node) -> anyhow::Result<()> {
    let Body::Namespaces { base, modules } = &node.body else {
        bail!("{} is a virtual machine", node.name);
    };
    umask(Mode::empty());
    let root = node.folder.join("root");
    // Looked up while this machine's mounts are still the ones that are seen.
    let hierarchies = cgroup::hierarchies()?;
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .context("making the mounts private")?;
    let overlay = format!(
        "lowerdir={},upperdir={},workdir={}",
        base.display(),
        node.folder.join("upper").display(),
        node.folder.join("work").display()
    );
    let tree = Tree { root: root.clone() };
    tree.mount("overlay", "", MountFlags::empty(), &overlay)?;
    tree.mount("proc", "proc", SAFE | MountFlags::NOEXEC, "")?;
    tree.mount("sysfs", "sys", SAFE | MountFlags::NOEXEC, "")?;
    tree.mount("tmpfs", "run", SAFE, "mode=755")?;
    tree.mount("tmpfs", "tmp", SAFE, "mode=1777")?;
    tree.devices(&node.folder)?;
    tree.mount("tmpfs", "sys/fs/cgroup", SAFE | MountFlags::NOEXEC, "mode=755")?;
    for hierarchy in hierarchies {
        let name = hierarchy.path.strip_prefix("/sys/fs/cgroup")?;
        let inner = Path::new("sys/fs/cgroup").join(name);
        tree.folder(&inner)?;
        let inner = inner.to_string_lossy();
        tree.mount(&hierarchy.kind, &inner, SAFE | MountFlags::NOEXEC, &hierarchy.options)?;
    }
    for folder in OWN_FOLDERS {
        tree.folder(Path::new(folder))?;
        tree.bind(&node.folder.join(folder), folder)?;
    }
    tree.bind(modules, "lib/modules")?;
    let stick = STICK.trim_start_matches('/');
    tree.folder(Path::new(stick))?;
    tree.bind(&node.folder.join(STICK_FOLDER), stick)?;
    mount_remount(root.join(stick), MountFlags::BIND | MountFlags::RDONLY, c"")
        .context("making the stick read-only")?;
    let swaps = node.folder.join("swaps");
    fs::write(&swaps, active_swap(&root)).context("writing the node's /proc/swaps")?;
    tree.bind(&swaps, "proc/swaps")?;

    tree.folder(Path::new(".old"))?;
    chdir(&root).context("entering the root")?;
    pivot_root(".", ".old").context("changing the root")?;
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .context("making the mounts private")?;
    unmount("/.old", UnmountFlags::DETACH).context("leaving this machine's root")?;
    fs::remove_dir("/.old").context("removing the old root's place")?;
    // As systemd does on a real machine: kubelet and CNI rely on it.
    mount_change("/", MountPropagationFlags::SHARED | MountPropagationFlags::REC)
        .context("sharing the mounts")?;
    sethostname(node.name.as_bytes()).context("setting the host name")?;
    umask(Mode::WGRP | Mode::WOTH);
    let error = Command::new("setpriv")
        .args([BOUNDING_SET, "/sbin/init", "--log-target=console"])
        .env_clear()
        .env("container", "lab")
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LANG", "C.UTF-8")
        .exec();
    Err(error).context("starting systemd")
}

const SAFE: MountFlags = MountFlags::NOSUID.union(MountFlags::NODEV);

/// The mount tree of a node while it is built.
struct Tree {
    root: PathBuf,
}

impl Tree {
    fn mount(&self, kind: &str, path: &str, flags: MountFlags, data: &str) -> anyhow::Result<()> {
        let data = CString::new(data)?;
        mount(kind, self.root.join(path), kind, flags, data.as_c_str())
            .with_context(|| format!("mounting a {kind} with `{data:?}` at /{path}"))
    }

    fn bind(&self, source: &Path, path: &str) -> anyhow::Result<()> {
        mount_bind(source, self.root.join(path))
            .with_context(|| format!("mounting {} at /{path}", source.display()))
    }

    fn folder(&self, path: &Path) -> anyhow::Result<()> {
        let path = self.root.join(path);
        fs::create_dir_all(&path).with_context(|| format!("creating {}", path.display()))
    }

    fn devices(&self, folder: &Path) -> anyhow::Result<()> {
        self.mount("tmpfs", "dev", MountFlags::NOSUID, "mode=755")?;
        for name in ["pts", "shm", "mqueue", "net"] {
            self.folder(&Path::new("dev").join(name))?;
        }
        for (name, major, minor) in DEVICES {
            let path = self.root.join("dev").join(name);
            let mode = Mode::from_raw_mode(0o666);
            mknodat(CWD, &path, FileType::CharacterDevice, mode, makedev(major, minor))
                .with_context(|| format!("making the device {name}"))?;
        }
        let flags = MountFlags::NOSUID | MountFlags::NOEXEC;
        self.mount("devpts", "dev/pts", flags, "newinstance,ptmxmode=0666,mode=620,gid=5")?;
        self.mount("tmpfs", "dev/shm", SAFE, "mode=1777")?;
        let links = [
            ("ptmx", "pts/ptmx"),
            ("fd", "/proc/self/fd"),
            ("stdin", "/proc/self/fd/0"),
            ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"),
        ];
        for (name, target) in links {
            symlink(target, self.root.join("dev").join(name))
                .with_context(|| format!("making /dev/{name}"))?;
        }
        File::create(self.root.join("dev/console")).context("making /dev/console")?;
        self.bind(&folder.join("console.log"), "dev/console")
    }
}

/// The text of `/proc/swaps` after a boot with the node's `/etc/fstab`.
fn active_swap(root: &Path) -> String {
    let fstab = fs::read_to_string(root.join("etc/fstab")).unwrap_or_default();
    let mut text = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n".to_owned();
    for line in fstab.lines() {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        if let [source, _, "swap", ..] = fields.as_slice()
            && !source.starts_with('#')
        {
            text += &format!("{source} file 1020 0 -2\n");
        }
    }
    text
}
