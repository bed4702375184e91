//! A cluster whose three masters all lost their disks comes back from one backup, on the
//! machine of any of them.

use std::fs;
use std::thread;
use std::time::Instant;

use lab::cluster;
use lab::{Node, Settings};

use crate::application::{Witness, get, kubectl, try_kubectl, wait};
use crate::masters::{bring, holders, installer, join, names, voters};
use crate::silence::longest_silence;
use crate::support::{connected_host, lab};
use crate::upgrade::assert_well;
use crate::virtual_address::{IN_SPEC, config};

const BACKUP: &str = "/root/cluster.backup";
const RESTORE: [&str; 5] = ["--yes", "--role", "master", "--restore", BACKUP];

#[test]
#[ignore = "takes six minutes: scripts/nightly"]
fn three_masters_that_lost_their_disks_come_back_from_one_backup() {
    let Some(host) = connected_host() else { return };
    let (_, bundle) = host.bundle_with(IN_SPEC);
    let Some(lab) = lab(&Settings { nodes: 4, ..Settings::default() }) else { return };
    let [first, second, third, worker] = lab.nodes() else { panic!("four nodes") };
    let masters = [first, second, third];
    let _witness = Witness(third);
    cluster::insert_stick(&lab, &bundle).unwrap();
    cluster::master(first, &config(&lab, 3)).unwrap();
    bring(first, &[second, third]);
    thread::scope(|scope| {
        for node in [second, third] {
            scope.spawn(|| join(node).unwrap());
        }
        cluster::worker(first, worker).unwrap();
    });
    kubectl(first, &["create", "configmap", "kept", "--from-literal=a=b"]);
    kubectl(first, &["create", "deployment", "own", "--image=registry.lab.example/web:1.0"]);
    for deployment in ["deploy/own", "deploy/web"] {
        kubectl(first, &["rollout", "status", deployment, "--timeout=140s"]);
    }
    let address = worker.address.to_string();
    wait("the application to answer", || get(&address).contains("node="));
    let before = state(first);

    // A master that joined makes it.
    installer(second, &["backup", "--output", BACKUP]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cluster.backup");
    fs::write(&file, second.exec(["cat", BACKUP]).unwrap().stdout).unwrap();
    kubectl(first, &["create", "configmap", "later", "--from-literal=a=b"]);

    let silence = longest_silence(&[&address], || {
        for master in masters {
            master.kill().unwrap();
        }
        let begun = Instant::now();
        let seconds = || begun.elapsed().as_secs();
        for master in masters {
            master.replace().unwrap();
        }
        third.copy(&file, BACKUP).unwrap();
        println!("{}", installer(third, &RESTORE).unwrap());
        println!("{:>4} s after the loss, the cluster is back", seconds());
        assert_eq!(state(third), before);
        wait("the worker to be Ready", || is_ready(third, worker));
        println!("{:>4} s after the loss, the worker is Ready", seconds());
        assert_takes_changes(third);

        // What ran on the others, such as CoreDNS, comes back elsewhere once they are forgotten.
        for lost in [first, second] {
            println!("{}", installer(third, &["remove", &lost.name, "--yes"]).unwrap());
        }
        wait("the application to answer", || get(&address).contains("node="));
        println!("{:>4} s after the loss, the application answers", seconds());
        bring(third, &[first, second]);
        thread::scope(|scope| {
            for node in [first, second] {
                scope.spawn(|| join(node).unwrap());
            }
        });
        println!("{:>4} s after the loss, there are three masters", seconds());
    });
    println!("the application was silent for {:.1} s at most", silence.as_secs_f64());
    assert_eq!(voters(third), names(&masters));
    assert_eq!(holders(&masters).len(), 1);
    assert_well(&lab);
    assert_eq!(state(first), before);
    // It goes on without the one that was restored.
    third.kill().unwrap();
    wait("writing without it", || try_kubectl(first, &["create", "configmap", "last"]).is_some());
    third.start().unwrap();
    assert_well(&lab);
    let again = installer(third, &RESTORE).unwrap();
    assert_eq!(again, "this node is a master already; there is nothing to do\n");
}

/// The application's objects: their names with their UIDs, and that none came later.
fn state(master: &Node) -> String {
    let objects = "get deploy/own deploy/web service/web configmap/kept";
    let objects: Vec<&str> = objects.split(' ').collect();
    let uid = ["--output=jsonpath={.items[*].metadata.uid}"];
    kubectl(master, &[&objects[..], &uid].concat())
}

fn is_ready(master: &Node, node: &Node) -> bool {
    let said = try_kubectl(master, &["get", "node", &node.name, "--no-headers"]);
    said.is_some_and(|line| line.contains(" Ready "))
}

/// The cluster takes changes, and the worker does what it says.
fn assert_takes_changes(master: &Node) {
    assert!(try_kubectl(master, &["get", "configmap", "later"]).is_none());
    kubectl(master, &["scale", "deploy/own", "--replicas=2"]);
    kubectl(master, &["rollout", "status", "deploy/own", "--timeout=120s"]);
}
