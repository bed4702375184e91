//! A cluster with one master and two workers goes to a patch release, with power losses on the
//! way, and back. The release is a stand-in: the newest line's programs, whose version was changed
//! in them byte for byte.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use lab::cluster;
use lab::{Line, Node, Settings, Upstream};

use crate::application::{Witness, kubectl};
use crate::cluster::kill_later;
use crate::silence::longest_silence;
use crate::support::{connected_host, lab};
use crate::upgrade::{
    NEW, assert_all_have, assert_well, await_application, begin, bring_images, installer,
};

const UPGRADE: [&str; 4] = ["upgrade", "--yes", "--bundle", NEW];
const BACK: [&str; 3] = ["upgrade", "--yes", "--back"];

#[test]
fn a_cluster_goes_on_and_back() {
    let Some((_work, bundles)) = bundles() else { return };
    let Some(lab) = lab(&Settings { nodes: 3, ..Settings::default() }) else { return };
    let [master, first, second] = lab.nodes() else { panic!("three nodes") };
    let _witness = Witness(master);
    let [is, new] = [Line::default(), restamped()].map(|line| format!("v{}", line.kubernetes));
    let addresses = begin(&lab, &bundles, &is);
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    kubectl(master, &["create", "pdb", "web", "--selector=app=web", "--min-available=2"]);
    let uid = ["get", "configmap", "kept", "--output=jsonpath={.metadata.uid}"];
    let before = kubectl(master, &uid);
    bring_images(master, &lab.nodes()[1..]);
    let plan = installer(master, &["upgrade", "--dry-run", "--bundle", NEW]).unwrap();
    let image = format!("+    image: registry.k8s.io/kube-apiserver:{new}\n");
    assert!(plan.contains(&image), "the new kubeadm was asked: {plan}");

    let begun = Instant::now();
    for (command, seconds) in
        [("images import", 0), ("kubeadm upgrade apply", 8), ("systemctl stop kubelet", 0)]
    {
        lose_power(master, command, seconds);
        println!("{:>4} s: power lost in `{command}`", begun.elapsed().as_secs());
    }
    println!("{}", installer(master, &UPGRADE).unwrap());
    // Before its pods have moved, so clients miss them until the cluster notices.
    lose_power(first, "dnf", 1);
    println!("{}", installer(first, &UPGRADE).unwrap());
    await_application(&addresses);
    let forward = longest_silence(&addresses, || {
        println!("{}", installer(second, &UPGRADE).unwrap());
    });
    assert_all_have(&lab, &new);
    assert_well(&lab);
    println!("{:>4} s: the upgrade has ended", begun.elapsed().as_secs());
    let again = installer(master, &UPGRADE).unwrap();
    assert!(again.contains("there is nothing to do"), "{again}");

    let back = longest_silence(&addresses, || {
        for node in [first, second, master] {
            println!("{}", installer(node, &BACK).unwrap());
        }
    });
    assert_all_have(&lab, &is);
    assert_well(&lab);
    println!("{:>4} s: it is back", begun.elapsed().as_secs());
    assert_eq!(kubectl(master, &uid), before);
    // Last, so that all else is known when the goal is missed.
    for silence in [forward, back] {
        println!("the application was silent for {:.1} s at most", silence.as_secs_f64());
        assert!(silence <= Duration::from_secs(1), "{silence:?}");
    }
}

/// The newest line's bundle and that of its stand-in, with the folder that holds them; none,
/// with the word why, where there is no lab.
pub(crate) fn bundles() -> Option<(tempfile::TempDir, [PathBuf; 2])> {
    if Line::of_tests().unwrap() != Line::default() {
        println!("skipped: it has its own two releases, and runs once");
        return None;
    }
    let host = connected_host()?;
    let (_, built) = host.bundle();
    let folder = host.folder().join("kept");
    fs::create_dir(&folder).unwrap();
    let old = folder.join("lab.tar");
    fs::rename(built, &old).unwrap();
    // Only one upstream runs at a time.
    let work = host.close();
    let upstream = Upstream::up(restamped()).unwrap();
    let new = cluster::bundle(&upstream, &work.path().join("new")).unwrap();
    Some((work, [old, new]))
}

/// The patch release that is a stand-in.
fn restamped() -> Line {
    "1.37.3".parse().unwrap()
}

/// Begins an upgrade, takes the power so many seconds after a command of it began, and gives
/// it back.
fn lose_power(node: &Node, command: &str, seconds: u64) {
    kill_later(node, command, seconds, || installer(node, &UPGRADE));
    node.start().unwrap();
}
