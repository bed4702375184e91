//! The process's umask decides nothing on a node. In a program of its own, since it
//! is the whole process's.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use installer::receipt::StepName;
use installer::role::Role;
use rustix::fs::Mode;
use rustix::process::umask;

use crate::node::{self, Tree, kinds};

#[test]
fn whatever_the_umask_is_files_and_folders_are_the_same() {
    let made = |mask: u32| -> (Tree, Vec<(u32, &'static str)>) {
        let nodes = [kinds::bare(Role::Worker), kinds::bare(Role::Master)];
        umask(Mode::from_raw_mode(mask));
        let mut trees = Tree::new();
        let mut own = Vec::new();
        for node in nodes {
            let mut host = node.look(None).0.open().unwrap();
            let deep = Path::new("/etc/a/b/c");
            host.write(StepName::Hosts, deep, b"", 0o644).unwrap();
            host.write(StepName::Hosts, Path::new("/etc/hosts"), b"new", 0o644).unwrap();
            host.make(StepName::Hosts, Path::new("/srv/open"), 0o777).unwrap();
            host.claim(StepName::Hosts, Path::new("/srv/x/ours"), 0o755).unwrap();
            for place in [
                "var/lib/kubeferry",
                "var/lib/kubeferry/receipt.jsonl",
                "var/lib/kubeferry/before",
                "var/log/kubeferry/install.log",
            ] {
                let mode = fs::metadata(node.root().join(place)).unwrap().mode();
                own.push((mode & 0o7777, place));
            }
            trees.extend(node.tree());
        }
        umask(Mode::from_raw_mode(0o022));
        (trees, own)
    };
    let (usual, own) = made(0o022);
    assert_eq!(usual["etc/a/b"].0, 0o755);
    assert_eq!(usual["srv/open"].0, 0o777);
    assert!(own.iter().all(|(mode, _)| mode & 0o077 == 0), "{own:?}");
    for mask in [0o077, 0o000, 0o027] {
        let (other, others) = made(mask);
        assert_eq!(node::difference(&usual, &other), Default::default(), "umask {mask:o}");
        assert_eq!(own, others, "umask {mask:o}");
    }
}

#[test]
fn whatever_the_umask_is_commands_make_folders_that_others_may_enter() {
    let folder = tempfile::tempdir().unwrap();
    for mask in ["0077", "0027", "0000", "0777"] {
        let made = folder.path().join(mask);
        // In place of the node's own: kubeadm and dnf are started the same way.
        let rpm = folder.path().join("rpm");
        fs::write(&rpm, format!("#!/bin/sh\nmkdir -p {}/a/b\n", made.display())).unwrap();
        fs::set_permissions(&rpm, fs::Permissions::from_mode(0o755)).unwrap();
        let line = format!("umask {mask}; exec \"$1\" inventory");
        let mut shell = Command::new("sh");
        shell.args(["-c", &line, "sh", env!("CARGO_BIN_EXE_installer")]);
        let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
        shell.env("PATH", path).output().unwrap();
        for place in ["", "a", "a/b"] {
            let mode = fs::metadata(made.join(place)).unwrap().mode();
            assert_eq!(mode & 0o7777, 0o755, "{place} with umask {mask}");
        }
    }
}
