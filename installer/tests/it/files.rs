//! Files of a node that are not what one thinks of: links, other letters, secrets.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

use installer::engine::{reset, run};
use installer::host::Host;
use installer::node::facts::Facts;
use installer::receipt::StepName;
use installer::role::Role;
use rustix::fs::{CWD, FileType, IFlags, Mode, ioctl_getflags, ioctl_setflags, mknodat};

use crate::node::{Node, kinds};

/// A node of which a file is a link to another.
fn linked(path: &str, target: &str, text: &str) -> Node {
    let node = kinds::bare(Role::Worker);
    let link = node.root().join(path);
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    fs::remove_file(&link).ok();
    symlink(target, &link).unwrap();
    let real = node.root().join("srv/config");
    fs::create_dir_all(real.parent().unwrap()).unwrap();
    fs::write(real, text).unwrap();
    node
}

#[test]
fn a_link_stays_and_what_it_leads_to_is_written_and_goes_back() {
    for (path, target, text) in [
        ("etc/chrony.conf", "../srv/config", "pool of.the.site\n"),
        ("etc/chrony.conf", "/srv/config", "pool of.the.site\n"),
        ("etc/fstab", "../srv/config", "/dev/sda2 none swap sw 0 0\n"),
        ("etc/hosts", "../srv/config", "127.0.0.1 localhost\n"),
        ("etc/containerd/config.toml", "../../srv/config", "disabled_plugins = [\"cri\"]\n"),
    ] {
        // Where a link has no relative target a node's own root is needed to read
        // it, so that only the writing can be looked at.
        let node = linked(path, target, text);
        let real = node.root().join("srv/config");
        let link = node.root().join(path);
        if target.starts_with('/') {
            let mut host = node.look(None).0.open().unwrap();
            host.write(StepName::Time, Path::new("/etc/chrony.conf"), b"new", 0o644).unwrap();
            assert!(link.is_symlink());
            assert_eq!(fs::read_to_string(&real).unwrap(), "new");
            assert_eq!(reset::reset(&mut host, &mut |_| ()), [""; 0]);
        } else {
            node.apply(None).end.unwrap();
            assert!(link.is_symlink(), "{path}");
            assert_ne!(fs::read_to_string(&real).unwrap(), text, "{path}");
            assert!(node.plan().iter().all(|(_, changes)| changes.is_empty()), "{path}");
            let mut host = node.look(None).0.open().unwrap();
            assert_eq!(reset::reset(&mut host, &mut |_| ()), [""; 0]);
        }
        assert!(link.is_symlink(), "{path}");
        assert_eq!(fs::read_to_string(&real).unwrap(), text, "{path}");
    }
}

#[test]
fn what_is_no_file_is_refused_before_anything_is_changed() {
    let told = |node: &Node| {
        let (host, _) = node.look(None);
        format!("{:#}", run::plan(&host, &node.intent(), &node.steps()).map(drop).unwrap_err())
    };
    let node = linked("etc/crictl.yaml", "/dev/null", "");
    let device = node.root().join("dev/null");
    fs::create_dir_all(device).unwrap();
    assert!(told(&node).contains("/etc/crictl.yaml leads to /dev/null, which is not a file"));
    let node = linked("etc/crictl.yaml", "crictl.yaml", "");
    assert!(!told(&node).is_empty(), "a link to itself");
}

#[test]
fn letters_that_are_not_utf_8_and_other_line_breaks_stay() {
    let odd = b"# Stra\xdfe\r\n\r\n10.9.9.9 nas\r\n# the last line has no end";
    for path in ["etc/fstab", "etc/hosts", "etc/selinux/config", "etc/sysconfig/kubelet"] {
        let node = kinds::bare(Role::Worker);
        let real = node.root().join(path);
        fs::create_dir_all(real.parent().unwrap()).unwrap();
        fs::create_dir_all(node.root().join("sys/fs/selinux")).unwrap();
        fs::write(node.root().join("sys/fs/selinux/enforce"), "0").unwrap();
        let own: &[u8] = match path {
            "etc/fstab" => b"\n/dev/sda2 none swap sw 0 0",
            "etc/selinux/config" => b"\nSELINUX=enforcing",
            _ => b"",
        };
        fs::write(&real, [&odd[..], own].concat()).unwrap();
        let before = fs::read(&real).unwrap();
        let mut host = node.look(None).0.open().unwrap();
        run::apply(&mut host, &node.intent(), &node.steps(), &mut |_, _, _| ()).unwrap();
        let after = fs::read(&real).unwrap();
        assert!(after.starts_with(odd) && after != before, "{path}");
        assert!(node.plan().iter().all(|(_, changes)| changes.is_empty()), "{path}");
        assert_eq!(reset::reset(&mut host, &mut |_| ()), [""; 0]);
        assert_eq!(fs::read(&real).unwrap(), before, "{path}");
    }
}

#[test]
fn where_it_is_not_known_what_is_mounted_no_folder_is_emptied() {
    let node = kinds::bare(Role::Worker);
    let mut host = node.look(None).0.open().unwrap();
    host.claim(StepName::Join, Path::new("/var/lib/kubelet"), 0o755).unwrap();
    let data = node.root().join("var/lib/kubelet/data");
    fs::write(&data, "theirs").unwrap();
    fs::create_dir_all(node.root().join("proc/mounts")).unwrap();
    let left = reset::reset(&mut host, &mut |_| ());
    assert!(left.len() == 1 && left[0].starts_with("/var/lib/kubelet: reading "), "{left:?}");
    assert!(data.exists());
}

#[test]
fn what_a_fifo_or_a_folder_is_instead_of_a_file_is_an_error_and_not_waited_for() {
    for path in ["etc/fstab", "etc/hosts", "etc/os-release", "proc/swaps", "etc/resolv.conf"] {
        for is_fifo in [true, false] {
            let node = kinds::bare(Role::Worker);
            let real = node.root().join(path);
            fs::remove_file(&real).ok();
            if is_fifo {
                mknodat(CWD, &real, FileType::Fifo, Mode::RWXU, 0).unwrap();
            } else {
                fs::create_dir(&real).unwrap();
            }
            let host = node.look(None).0;
            let plan = run::plan(&host, &node.intent(), &node.steps()).map(drop);
            let facts = Facts::gather(&host).map(drop);
            let error = format!("{:#}", plan.and(facts).unwrap_err());
            let words = if is_fifo { "it is a FIFO" } else { "it is a folder" };
            assert!(error.contains(path) && error.contains(words), "{error}");
        }
    }
}

#[test]
fn what_cannot_be_replaced_is_told_before_anything_is_changed() {
    let told = |node: &Node| {
        let (host, _) = node.look(None);
        format!("{:#}", run::plan(&host, &node.intent(), &node.steps()).map(drop).unwrap_err())
    };
    let node = kinds::bare(Role::Worker);
    let mounts = "/dev/sda1 / xfs rw 0 0\n/dev/sda1 /etc/hosts xfs rw 0 0\n";
    fs::write(node.root().join("proc/mounts"), mounts).unwrap();
    assert!(told(&node).contains("/etc/hosts must be written, but another file is mounted over"));
    for locked in ["etc/hosts", "etc"] {
        let node = kinds::bare(Role::Worker);
        let file = fs::File::open(node.root().join(locked)).unwrap();
        let Ok(flags) = ioctl_getflags(&file) else {
            eprintln!("skipped: this file system locks no files");
            return;
        };
        if ioctl_setflags(&file, flags | IFlags::IMMUTABLE).is_err() {
            eprintln!("skipped: files cannot be locked here");
            return;
        }
        let told = told(&node);
        ioctl_setflags(&file, flags).unwrap();
        assert!(told.contains(&format!("but /{locked} is locked against any change")), "{told}");
    }
}

#[test]
fn of_a_hard_link_the_other_name_keeps_its_text() {
    let node = kinds::bare(Role::Worker);
    let (one, other) = (node.root().join("etc/hosts"), node.root().join("etc/hosts.backup"));
    fs::hard_link(&one, &other).unwrap();
    let before = fs::read(&one).unwrap();
    let mut host = node.look(None).0.open().unwrap();
    host.write(StepName::Hosts, Path::new("/etc/hosts"), b"new", 0o644).unwrap();
    assert_eq!(fs::read(&other).unwrap(), before);
    assert_eq!(reset::reset(&mut host, &mut |_| ()), [""; 0]);
    assert_eq!((fs::read(&one).unwrap(), fs::read(&other).unwrap()), (before.clone(), before));
}

fn kept(node: &Node) -> Vec<String> {
    let entries = fs::read_dir(node.root().join("var/lib/kubeferry/before")).unwrap();
    entries.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect()
}

#[test]
fn of_a_secret_that_was_ours_no_copy_stays() {
    let node = kinds::bare(Role::Worker);
    let path = Path::new("/opt/kubernetes/kubeadm-join.yaml");
    let mut host: Host = node.look(None).0.open().unwrap();
    host.write(StepName::Join, path, b"token: one", 0o600).unwrap();
    host.write(StepName::Join, path, b"token: two", 0o600).unwrap();
    host.remove(StepName::Join, path).unwrap();
    // Of one that was there before, the first text alone is kept.
    let own = Path::new("/etc/hosts");
    host.write(StepName::Hosts, own, b"two", 0o644).unwrap();
    host.write(StepName::Hosts, own, b"three", 0o644).unwrap();
    assert_eq!(kept(&node), ["127.0.0.1 localhost\n"]);
    let log = fs::read_to_string(node.root().join("var/log/kubeferry/install.log")).unwrap();
    let receipt = fs::read_to_string(node.root().join("var/lib/kubeferry/receipt.jsonl")).unwrap();
    assert!(!log.contains("token") && !receipt.contains("token"));
    assert_eq!(reset::reset(&mut host, &mut |_| ()), [""; 0]);
    assert!(!host.exists(path));
    assert_eq!(host.read(own).unwrap().as_deref(), Some("127.0.0.1 localhost\n"));
}

#[test]
fn nobody_reads_along_by_a_link_that_waits_for_the_file() {
    let node = kinds::bare(Role::Worker);
    let elsewhere = node.root().join("srv/theirs");
    fs::create_dir_all(elsewhere.parent().unwrap()).unwrap();
    fs::write(&elsewhere, "theirs").unwrap();
    symlink(&elsewhere, node.root().join("etc/secret.kubeferry-new")).unwrap();
    let mut host = node.look(None).0.open().unwrap();
    host.write(StepName::Join, Path::new("/etc/secret"), b"token", 0o600).unwrap();
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "theirs");
    let secret = node.root().join("etc/secret");
    assert_eq!(fs::read_to_string(&secret).unwrap(), "token");
    assert_eq!(fs::symlink_metadata(&secret).unwrap().mode() & 0o7777, 0o600);
}

#[test]
fn a_folder_with_a_link_in_it_is_not_claimed() {
    let node = kinds::bare(Role::Worker);
    let folder = node.root().join("var/lib/chrony");
    fs::create_dir_all(&folder).unwrap();
    fs::create_dir_all(node.root().join("srv/empty")).unwrap();
    symlink("../../../srv/empty", folder.join("link")).unwrap();
    let before = node.tree();
    node.apply(None).end.unwrap();
    node.assert_goes_back(&before, "a link in a folder");
}

#[test]
fn a_reset_does_not_empty_what_is_mounted_in_its_folders() {
    let node = kinds::bare(Role::Worker);
    let share = node.root().join("var/lib/kubelet/pods/a b/share");
    let mut host = node.look(None).0.open().unwrap();
    host.claim(StepName::Join, Path::new("/var/lib/kubelet"), 0o755).unwrap();
    fs::create_dir_all(&share).unwrap();
    fs::write(share.join("data"), "theirs").unwrap();
    let mounts = "/dev/sda1 / xfs rw 0 0\n/dev/sdb1 /var/lib/kubelet xfs rw 0 0\n\
                  nas:/srv /var/lib/kubelet/pods/a\\040b/share nfs4 rw 0 0\n";
    fs::write(node.root().join("proc/mounts"), mounts).unwrap();
    assert_eq!(
        reset::reset(&mut host, &mut |_| ()),
        ["/var/lib/kubelet: something is mounted at /var/lib/kubelet/pods/a b/share; `umount` it"]
    );
    assert!(share.join("data").exists());
    let rest = "/dev/sdb1 /var/lib/kubelet xfs rw 0 0\n/x /var/lib/kubelet-other xfs rw 0 0\n";
    fs::write(node.root().join("proc/mounts"), rest).unwrap();
    assert_eq!(reset::reset(&mut host, &mut |_| ()), [""; 0]);
    assert!(!share.exists());
}
