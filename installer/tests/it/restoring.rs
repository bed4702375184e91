//! A backup beside a node that it is not for, and what the node's settings are then.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bundle_format::Digest;
use installer::role::Role;
use serde_json::{Value, json};
use tar::{Builder, Header};

use crate::node::kinds;
use crate::node::text::write;
use crate::pages::{INSTALLER, plan};

/// A backup in `folder` of the master `m` at 10.0.0.2.
fn backup(folder: &Path, kubernetes: &str) -> PathBuf {
    let cluster = json!({"podCidr": "10.9.0.0/16"});
    backup_of(folder, kubernetes, "10.0.0.2", "10.0.0.2:6443", &cluster)
}

/// The same of a cluster with these settings, whose master `m` is at this address.
fn backup_of(
    folder: &Path,
    kubernetes: &str,
    address: &str,
    endpoint: &str,
    cluster: &Value,
) -> PathBuf {
    let snapshot = b"etcd";
    let list = json!({
        "version": 1,
        "made": "2026-11-27T18:00:00Z",
        "kubernetes": kubernetes,
        "master": "m",
        "masterAddress": address,
        "endpoint": endpoint,
        "caCertHash": Digest::of(b"ca"),
        "cluster": cluster,
        "snapshot": {"revision": 7, "size": snapshot.len(), "digest": Digest::of(snapshot)},
        "files": Value::Array(Vec::new()),
    });
    let list = serde_json::to_vec(&list).unwrap();
    let sum = format!("{}  backup.json\n", Digest::of(&list).hex());
    let path = folder.join("cluster.backup");
    let mut tar = Builder::new(fs::File::create(&path).unwrap());
    let parts =
        [("backup.json", &list[..]), ("backup.json.sha256", sum.as_bytes()), ("etcd.db", snapshot)];
    for (name, bytes) in parts {
        let mut header = Header::new_gnu();
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, name, bytes).unwrap();
    }
    tar.finish().unwrap();
    path
}

#[test]
fn all_that_does_not_fit_is_told_at_once_and_what_fits_is_planned() {
    let folder = tempfile::tempdir().unwrap();
    let path = backup(folder.path(), "1.27.1");
    let path = path.to_str().unwrap();
    let cluster = folder.path().join("cluster.yaml");
    fs::write(&cluster, "endpoint: other.site:6443\n").unwrap();
    let config = ["--restore", path, "--config", cluster.to_str().unwrap()];
    let said = plan(Role::Master, &config);
    for words in [
        "the backup is of Kubernetes 1.27.1, but the bundle has 1.28.2",
        "the backup is of the master m, but this node would be node-1",
        "look for the API server at 10.0.0.2:6443, but here it would be at other.site:6443",
        "the backup's podCidr is 10.9.0.0/16, but the cluster file has 10.244.0.0/16",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!said.contains("serviceCidr"), "{said}");
}

#[test]
fn the_settings_are_the_backups() {
    let folder = tempfile::tempdir().unwrap();
    let path = backup(folder.path(), "1.28.2");
    let node = kinds::bare(Role::Master);
    write(&node, "etc/os-release", "PLATFORM_ID=\"platform:el9\"\n");
    let mut config = Command::new(INSTALLER);
    config.args(["config", "--role", "master", "--address", "10.0.0.2", "--restore"]).arg(path);
    let output = config.arg("--root").arg(node.root()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("podCidr: 10.9.0.0/16 # the backup\n"), "{said}{output:?}");
}

#[test]
fn another_master_takes_it_if_they_have_one_address() {
    let folder = tempfile::tempdir().unwrap();
    let of = |endpoint: &str, role: &str| {
        let nodes = json!([{"name": "m", "address": "10.0.0.3", "role": "master"},
                           {"name": "m2", "address": "10.0.0.2", "role": role}]);
        let cluster = json!({"endpoint": endpoint, "nodes": nodes});
        let path = backup_of(folder.path(), "1.28.2", "10.0.0.3", endpoint, &cluster);
        plan(Role::Master, &["--restore", path.to_str().unwrap()])
    };
    let words = "the backup is of the master m, but this node would be m2";
    assert!(!of("api.site:6443", "master").contains(words));
    assert!(of("api.site:6443", "worker").contains(words));
    assert!(of("10.0.0.3:6443", "master").contains(words), "its address went with it");
}
