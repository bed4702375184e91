//! A cluster whose only master lost its disk comes back from one file. The cluster is that of
//! `one_master`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use lab::Node;
use lab::cluster::{self, INSTALLER};

use crate::application::{get, kubectl, try_kubectl, wait};
use crate::cluster::kill_after;
use crate::secrets;
use crate::silence::longest_silence;
use crate::support::words;

const BACKUP: &str = "/root/cluster.backup";
const RESTORE: [&str; 5] = ["--yes", "--role", "master", "--restore", BACKUP];

fn installer(node: &Node, words: &[&str]) -> anyhow::Result<String> {
    node.run([&["timeout", "480", INSTALLER], words].concat())
}

/// What the installer says as it refuses.
fn refused(node: &Node, options: &[&str]) -> String {
    let output = node.exec([&[INSTALLER], options].concat()).unwrap();
    let said = words(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    said
}

/// The cluster comes back when its only master has lost its disk, and the application answers all
/// the while.
pub(crate) fn assert_brings_back(master: &Node, worker: &Node, config: &str) {
    kubectl(master, &["create", "configmap", "kept", "--from-literal=a=b"]);
    kubectl(master, &["create", "deployment", "own", "--image=registry.lab.example/web:1.0"]);
    for deployment in ["deploy/own", "deploy/web"] {
        kubectl(master, &["rollout", "status", deployment, "--timeout=140s"]);
    }
    let uid = ["get", "deploy", "own", "--output=jsonpath={.metadata.uid}"];
    let before = (kubectl(master, &uid), containers(worker));
    move_dns(master);

    assert_support_has_no_secret(master);
    assert!(refused(worker, &["backup", "--output", BACKUP]).contains("no master"));
    installer(master, &["backup", "--output", BACKUP]).unwrap();
    assert_eq!(master.run(["stat", "-c", "%a %U", BACKUP]).unwrap().trim(), "600 root");
    assert_eq!(master.run(["ls", "/var/lib/etcd"]).unwrap().trim(), "member");
    // As many changes as a day's, which clients must not take for the restored ones.
    let many = "for n in $(seq 40); do kubectl annotate --overwrite configmap kept n=$n; done";
    master.run(["sh", "-c", many]).unwrap();
    kubectl(master, &["create", "configmap", "later", "--from-literal=a=b"]);
    let said = refused(master, &RESTORE);
    assert!(said.contains("this node has a cluster already"), "{said}");
    assert!(said.contains("installer reset"), "{said}");

    assert_encryption(master);
    assert_backups_by_a_timer(master, config);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cluster.backup");
    fs::write(&file, master.exec(["cat", BACKUP]).unwrap().stdout).unwrap();
    let silence = longest_silence(&[&worker.address.to_string()], || restore(master, &file));
    assert!(silence <= Duration::from_secs(1), "{silence:?}");

    assert_eq!((kubectl(master, &uid), containers(worker)), before);
    kubectl(master, &["get", "configmap", "kept"]);
    assert!(try_kubectl(master, &["get", "configmap", "later"]).is_none());
    wait("all nodes to be Ready", || {
        let said = try_kubectl(master, &["get", "nodes", "--no-headers"]).unwrap_or_default();
        said.lines().filter(|line| line.contains(" Ready ")).count() == 2
    });
    // The worker has come back by itself, and does what the cluster says.
    kubectl(master, &["scale", "deploy/own", "--replicas=2"]);
    kubectl(master, &["rollout", "status", "deploy/own", "--timeout=120s"]);
    kubectl(master, &["exec", "deploy/own", "--", "busybox", "true"]);
    wait("the application to answer", || get(&worker.address.to_string()).contains("node="));
    assert_a_used_cluster_is_kept(master);
    let again = installer(master, &RESTORE).unwrap();
    assert_eq!(again, "this node is a master already; there is nothing to do\n");
    wait("doctor to find nothing", || {
        words(&master.exec([INSTALLER, "doctor"]).unwrap()).contains("nothing is wrong")
    });
    installer(master, &["backup", "--output", "/root/next.backup"]).unwrap();
}

/// Moves the cluster's DNS to the worker, as each upgrade of the master does. The application
/// needs DNS, which starts on the master because there is no other node yet.
fn move_dns(master: &Node) {
    kubectl(master, &["cordon", &master.name]);
    let of_system = ["--namespace=kube-system", "rollout"];
    kubectl(master, &[&of_system[..], &["restart", "deploy/coredns"]].concat());
    kubectl(master, &[&of_system[..], &["status", "deploy/coredns", "--timeout=140s"]].concat());
    kubectl(master, &["uncordon", &master.name]);
}

/// The master gets a new disk, and the backup. The power goes in the midst of it, and again; the
/// same line goes on.
fn restore(master: &Node, file: &Path) {
    master.replace().unwrap();
    assert_bad_backups_are_refused(master, file);
    master.copy(file, BACKUP).unwrap();
    kill_after(master, "snapshot restore", || installer(master, &RESTORE));
    let said = refused(master, &["--yes", "--role", "master"]);
    assert!(said.contains("this node was being restored from a backup"), "{said}");
    kill_after(master, "kubeadm init", || installer(master, &RESTORE));
    let said = installer(master, &RESTORE).unwrap();
    assert!(said.contains("is a master; "), "{said}");
}

/// The page's lines for `gpg`. The key is made here, and its private half stays beside it.
fn assert_encryption(master: &Node) {
    let script = "cd /root && gpg --batch --quiet --passphrase '' --quick-gen-key \
                  recovery@site.org && gpg --armor --export recovery@site.org > recovery.asc && \
                  gpg --import recovery.asc && cp cluster.backup plain && \
                  gpg --trust-model always --recipient recovery@site.org --encrypt cluster.backup \
                  && rm cluster.backup && gpg --output cluster.backup --decrypt \
                  cluster.backup.gpg && cmp plain cluster.backup && gpgconf --kill all";
    master.run(["sh", "-c", script]).unwrap();
}

/// With the key in the cluster file, the timer's service makes backups and keeps so many.
fn assert_backups_by_a_timer(master: &Node, config: &str) {
    cluster::configure(master, &format!("{config}backup: {{keep: 2}}\n")).unwrap();
    installer(master, &[&["--yes"], &cluster::MASTER[..]].concat()).unwrap();
    master.run(["systemctl", "is-active", "kubeferry-backup.timer"]).unwrap();
    for _ in 0..3 {
        master.run(["systemctl", "start", "kubeferry-backup.service"]).unwrap();
        // Their names tell seconds apart.
        master.run(["sleep", "1"]).unwrap();
    }
    let kept = master.run(["ls", "/var/backups/kubeferry"]).unwrap();
    assert_eq!(kept.lines().count(), 2, "{kept}");
    assert!(kept.lines().all(|name| name.starts_with("node1-20")), "{kept}");
}

/// Backups that were cut short, altered, or are of another cluster change nothing.
fn assert_bad_backups_are_refused(master: &Node, file: &Path) {
    let bytes = fs::read(file).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("bad");
    let mut altered = bytes.clone();
    let middle = bytes.len() / 2;
    altered[middle] ^= 1;
    for (bytes, words) in [
        (&bytes[..middle], "is cut short"),
        (&altered, "is damaged"),
        (b"kind: Config\n", "not a backup"),
    ] {
        fs::write(&bad, bytes).unwrap();
        master.copy(&bad, BACKUP).unwrap();
        let said = refused(master, &RESTORE);
        assert!(said.contains(words), "{words}: {said}");
    }
    master.copy(file, BACKUP).unwrap();
    let said = refused(master, &[&RESTORE[..], &["--node-name", "other"]].concat());
    assert!(said.contains("the backup is of the master node1, but this node"), "{said}");
    let said = refused(master, &["--yes", "--role", "worker", "--restore", BACKUP]);
    assert!(said.contains("workers come back by themselves"), "{said}");
    assert!(!master.exec(["test", "-e", "/var/lib/kubeferry"]).unwrap().status.success());
}

/// A restore of which only the end was not noted does not begin anew: the cluster may
/// have been used since.
fn assert_a_used_cluster_is_kept(master: &Node) {
    kubectl(master, &["create", "configmap", "newer", "--from-literal=a=b"]);
    let receipt = "/var/lib/kubeferry/receipt.jsonl";
    let ended = r#"/"finished".*"control-plane"/d"#;
    let before = master.run(["wc", "-l", receipt]).unwrap();
    master.run(["sed", "-i", ended, receipt]).unwrap();
    assert_ne!(master.run(["wc", "-l", receipt]).unwrap(), before);
    let said = installer(master, &RESTORE).unwrap();
    assert!(said.contains("is a master; "), "{said}");
    kubectl(master, &["get", "configmap", "newer"]);
}

/// The archive for a supporter has all that this master is asked, and none of the keys,
/// tokens and Secrets that it has.
fn assert_support_has_no_secret(master: &Node) {
    let data = "--from-literal=password=kubeferry-Xw7";
    kubectl(master, &["create", "secret", "generic", "own", data]);
    installer(master, &["support", "--output", "/root/support.tar.gz"]).unwrap();
    master.run(["tar", "-xzf", "/root/support.tar.gz", "-C", "/root"]).unwrap();
    let page = master.run(["cat", "/root/support/READ-ME-FIRST.txt"]).unwrap();
    print!("{page}");
    for name in ["doctor.txt", "kubernetes/events.txt", "etcd/members.txt", "containerd/dump.toml"]
    {
        let line = page.lines().find(|line| line.starts_with(name)).unwrap();
        assert!(!line.contains(" is missing: "), "{line}");
    }
    let members = master.run(["cat", "/root/support/etcd/members.txt"]).unwrap();
    assert!(members.contains("node1") && members.contains("started"), "{members}");
    let count = secrets::collect(master);
    assert!(count > 10, "{count} secrets were looked for");
    let script = "cd /root/support; \
        { echo kubeferry-Xw7; echo -n kubeferry-Xw7 | base64; } >>/root/secrets; \
        ! grep -rFf /root/secrets .";
    master.run(["sh", "-c", script]).unwrap();
}

/// The application's containers on a node. They go on without their master.
fn containers(worker: &Node) -> String {
    worker.run(["sh", "-c", "crictl ps --quiet --name web | sort"]).unwrap()
}
