//! A second bundle that has only what a real node lacks.

use std::fs;
use std::path::Path;

use lab::cluster::{self, JOIN_FILE};
use lab::{Line, Settings, Upstream};

use crate::application::{try_kubectl, wait};
use crate::support::lab;
use crate::upgrade::{bundles, installer, refused};

const DELTA: &str = "/media/usb/lab.delta.tar";

#[test]
#[ignore = "takes seven minutes, and two lines of Kubernetes: scripts/nightly"]
fn an_upgrade_and_a_new_worker_take_what_they_have_from_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let Some([old, new]) = bundles(folder.path(), "") else { return };
    let Some(lab) = lab(&Settings { nodes: 2, ..Settings::default() }) else { return };
    let [master, worker] = lab.nodes() else { panic!("two nodes") };
    cluster::insert_stick(&lab, &old).unwrap();
    cluster::master(master, "").unwrap();

    // What the master has, carried to the connected host, where the spec is and the cache.
    let place = new.parent().unwrap();
    let have = installer(master, &["inventory", "--blobs"]).unwrap();
    fs::write(place.join("have.json"), have).unwrap();
    let upstream = Upstream::up("1.37".parse::<Line>().unwrap()).unwrap();
    let line = ["build", "--quiet", "--have", "have.json", "lab.yaml"];
    let made = cluster::bundler(&upstream, place).unwrap().args(line).status().unwrap();
    assert!(made.success());
    let delta = place.join("lab.delta.tar");
    let size = |path: &Path| fs::metadata(path).unwrap().len();
    println!("a delta of {} bytes, of {}", size(&delta), size(&new));
    assert!(size(&delta) < size(&new));
    lab.nodes().iter().try_for_each(|node| node.insert(&delta)).unwrap();

    // The master has all else itself.
    let upgrade = ["upgrade", "--yes", "--no-drain", "--bundle", DELTA];
    println!("{}", installer(master, &upgrade).unwrap());
    // A bare node has not.
    let token = installer(master, &["token"]).unwrap();
    worker.write(JOIN_FILE, &token).unwrap();
    let join = ["--yes", "--role", "worker", "--join", JOIN_FILE, "--bundle", DELTA];
    let said = refused(worker, &join);
    assert!(said.contains("the bundle is a delta, and neither it nor this node has"), "{said}");
    assert!(said.contains("rpms/el9-x86_64/ethtool-"), "{said}");
    let both = [&join[..], &["--bundle", "/media/usb/lab.tar"]].concat();
    println!("{}", installer(worker, &both).unwrap());
    wait("both nodes to be Ready in 1.37.2", || {
        let said = try_kubectl(master, &["get", "nodes", "--no-headers"]).unwrap_or_default();
        said.lines().filter(|line| line.contains(" Ready ") && line.contains("v1.37.2")).count()
            == 2
    });
}
