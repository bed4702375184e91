//! Files of a node that are not what one thinks of: links, other letters, secrets.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it expects")]

mod node;

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

use installer::host::Host;
use installer::reset;
use installer::role::Role;
use installer::run;
use node::Node;
use node::kinds;

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
            host.write("time", Path::new("/etc/chrony.conf"), b"new", 0o644).unwrap();
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
    assert!(told(&node).contains("/etc/crictl.yaml leads to /dev/null, which is no file"));
    let node = linked("etc/crictl.yaml", "crictl.yaml", "");
    assert!(!told(&node).is_empty(), "a link to itself");
}

#[test]
fn letters_that_are_not_utf_8_are_not_lost() {
    for path in ["etc/fstab", "etc/hosts"] {
        let node = kinds::bare(Role::Worker);
        fs::write(node.root().join(path), b"# Stra\xdfe\n/dev/sda2 none swap sw 0 0\n").unwrap();
        let (host, _) = node.look(None);
        let end = run::plan(&host, &node.intent(), &node.steps()).map(drop);
        let error = format!("{:#}", end.unwrap_err());
        assert!(error.contains(&format!("/{path} has letters in it")), "{error}");
    }
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
    host.write("join", path, b"token: one", 0o600).unwrap();
    host.write("join", path, b"token: two", 0o600).unwrap();
    host.remove("join", path).unwrap();
    // Of one that was there before, the first text alone is kept.
    let own = Path::new("/etc/hosts");
    host.write("hosts", own, b"two", 0o644).unwrap();
    host.write("hosts", own, b"three", 0o644).unwrap();
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
    host.write("join", Path::new("/etc/secret"), b"token", 0o600).unwrap();
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
    host.claim("join", Path::new("/var/lib/kubelet"), 0o755).unwrap();
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
