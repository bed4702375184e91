//! File systems, and how they are mounted.

use std::fs;
use std::process::Command;

use bundle_format::archive::reader::Bundle;
use installer::intent::Intent;
use installer::role::Role;

use super::Told::{Nothing, Problem, Warning};
use super::{as_it_is, check, told};
use crate::node::intent::bundle_with;
use crate::node::{Node, kinds};

const ROOT: &str = "1 0 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n";

/// A second mount on top of the root's.
pub(super) fn mounted(at: &str, options: &str, kind: &str) -> String {
    format!("{ROOT}2 1 8:2 / {at} {options} shared:2 - {kind} /dev/sdb1 rw\n")
}

#[test]
fn file_systems() {
    const PROC: &str = "proc/self/mountinfo";
    for (at, options, kind, wanted) in [
        ("/var/lib/containerd", "rw", "ext4", Nothing),
        ("/var/lib/containerd", "rw,nosuid,nodev", "btrfs", Nothing),
        ("/var/lib/containerd", "rw", "nfs4", Problem("is on nfs4 (at /var/lib/containerd)")),
        ("/var/lib/containerd", "rw", "fuse.sshfs", Problem("is on fuse.sshfs")),
        ("/", "rw", "overlay", Problem("is on overlay (at /)")),
        ("/var/lib/containerd", "rw", "tmpfs", Problem("is in memory (tmpfs at")),
        ("/var/lib/kubelet", "rw", "tmpfs", Warning("/var/lib/kubelet is in memory")),
        // A live system works until it ends.
        ("/", "rw", "tmpfs", Warning("this system is in memory")),
        ("/var/lib/etcd", "rw", "tmpfs", Problem("/var/lib/etcd is in memory")),
        ("/var/lib/etcd", "rw", "nfs", Warning("is on the network (nfs at /var/lib/etcd)")),
        (
            "/opt",
            "rw,noexec",
            "ext4",
            Problem("/opt is mounted noexec\n`mount -o remount,exec /opt`"),
        ),
        ("/var", "rw,noexec", "ext4", Warning("/var is mounted noexec")),
        ("/var/lib/kubelet", "rw,noexec", "xfs", Warning("/var/lib/kubelet is mounted noexec")),
        ("/srv/my\\040disk", "rw,noexec", "nfs", Nothing),
    ] {
        check(Role::Master, &[(PROC, &mounted(at, options, kind))], as_it_is, &wanted);
    }
    // Another place by containerd's own configuration, and another way to stack.
    let config = "version = 2\nroot = \"/data\"\n";
    let files =
        [(PROC, mounted("/data", "rw", "nfs")), ("etc/containerd/config.toml", config.to_owned())];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    check(Role::Worker, &files, as_it_is, &Problem("containerd's /data is on nfs"));
    let native = "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".containerd]\nsnapshotter = \"native\"\n";
    let nfs = mounted("/var/lib/containerd", "rw", "nfs");
    let files = [(PROC, nfs.as_str()), ("etc/containerd/config.toml", native)];
    check(Role::Worker, &files, as_it_is, &Nothing);
    // Also in a file that is imported.
    let imports = "version = 2\nimports = [\"/etc/containerd/own.toml\"]\n";
    let files = [
        (PROC, nfs.as_str()),
        ("etc/containerd/config.toml", imports),
        ("etc/containerd/own.toml", native),
    ];
    check(Role::Worker, &files, as_it_is, &Nothing);
}

/// A bundle whose network is mounted for others.
fn network(propagation: &str) -> Bundle {
    let text = format!(
        "kind: DaemonSet\nspec:\n  template:\n    spec:\n      initContainers:\n      - name: bpf\n        \
         volumeMounts: [{{name: sys, mountPath: /sys/fs, mountPropagation: {propagation}}}]\n      \
         volumes: [{{name: sys, hostPath: {{path: /sys/fs}}}}]\n"
    );
    bundle_with(&[("network", &text)])
}

#[test]
fn private_mounts_are_in_the_way_of_networks_that_share_theirs() {
    const PROC: &str = "proc/self/mountinfo";
    let private = ROOT.replace("shared:1 ", "");
    let told = Warning("mounts at / are private: pods that mount for others");
    check(Role::Worker, &[(PROC, &private)], as_it_is, &told);
    let calico: fn(&mut Intent) = |intent| intent.bundle = network("Bidirectional");
    let told = Problem(
        "mounts at / are private, and pods of the bundle's manifests share those of /sys/fs",
    );
    check(Role::Worker, &[(PROC, &private)], calico, &told);
    check(Role::Worker, &[(PROC, ROOT)], calico, &Nothing);
    let listens: fn(&mut Intent) = |intent| intent.bundle = network("HostToContainer");
    let slave = ROOT.replace("shared:1 ", "master:1 ");
    let of_both = [(PROC, slave.as_str()), ("proc/1/mountinfo", slave.as_str())];
    let told = Problem("share those of /sys/fs\n`mount --make-rshared /`");
    check(Role::Worker, &of_both, calico, &told);
    let told = Warning("mounts at / are private");
    check(Role::Worker, &of_both, as_it_is, &told);
    check(Role::Worker, &[(PROC, &private)], listens, &Problem("share those of /sys/fs"));
    // Below `sudo`, where pam_namespace gives it mounts of its own (linux-pam#331).
    let slave = ROOT.replace("shared:1 ", "master:1 ");
    let below_sudo = |systemds| [(PROC, slave.as_str()), ("proc/1/mountinfo", systemds)];
    check(Role::Worker, &below_sudo(ROOT), as_it_is, &Nothing);
    let told = Warning("mounts at / are private");
    check(Role::Worker, &below_sudo(&private), as_it_is, &told);
}

#[test]
fn an_xfs_without_file_types() {
    let xfs = mounted("/var/lib/containerd", "rw", "xfs");
    for (said, wanted) in [
        ("naming   =version 2              bsize=4096   ascii-ci=0, ftype=1\n", Nothing),
        (
            "naming   =version 2              bsize=4096   ascii-ci=0 ftype=0\n",
            Problem(
                "is on an XFS without file types (ftype=0), at /var/lib/containerd\nmount another disk",
            ),
        ),
    ] {
        let files = [("proc/self/mountinfo", xfs.as_str()), ("run/xfs_info", said)];
        check(Role::Worker, &files, as_it_is, &wanted);
    }
}

/// By the real mkfs.xfs: what `xfs_info` says of its work, and, where the kernel mounts
/// that, what its folders say without `xfs_info`.
#[test]
fn a_real_xfs_without_file_types() {
    for (ftype, is_refused) in [("0", true), ("1", false)] {
        let node = kinds::bare(Role::Worker);
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("disk");
        fs::File::create(&image).unwrap().set_len(320 << 20).unwrap();
        // Only those of version 4, without checksums, can be without types.
        let options = ["-q", "-m", "crc=0", "-n", &format!("ftype={ftype}")];
        let made = Command::new("mkfs.xfs").args(options).arg(&image).output();
        if !made.is_ok_and(|made| made.status.success()) {
            eprintln!("skipped: no mkfs.xfs is here (xfsprogs), or it makes none of version 4");
            return;
        }
        let told_of = |node: &Node| {
            let [problems, _] = told(node, &node.intent());
            problems.iter().any(|one| one.contains("(ftype=0)"))
        };
        let mounts = node.root().join("proc/self/mountinfo");
        fs::create_dir_all(mounts.parent().unwrap()).unwrap();
        fs::write(mounts, mounted("/var/lib/containerd", "rw", "xfs")).unwrap();
        let said = Command::new("xfs_info").arg(&image).output().unwrap();
        assert!(said.status.success(), "{said:?}");
        fs::write(node.root().join("run/xfs_info"), said.stdout).unwrap();
        assert_eq!(told_of(&node), is_refused, "by xfs_info: ftype={ftype}");
        fs::remove_file(node.root().join("run/xfs_info")).unwrap();
        let at = node.root().join("var/lib/containerd");
        fs::create_dir_all(&at).unwrap();
        let mount = Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&at).output();
        if !mount.is_ok_and(|mount| mount.status.success()) {
            eprintln!("skipped in part: nobody here mounts an XFS of version 4 of a file");
            continue;
        }
        let unmount = Unmount(at.clone());
        fs::create_dir(at.join("inner")).unwrap();
        assert_eq!(told_of(&node), is_refused, "by its folders: ftype={ftype}");
        drop(unmount);
    }
}

struct Unmount(std::path::PathBuf);

impl Drop for Unmount {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(&self.0).status());
    }
}
