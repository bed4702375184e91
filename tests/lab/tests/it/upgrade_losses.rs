//! A master goes to a patch release and back, and loses its power on the way. The release is
//! a stand-in: the newest line's programs, whose version was changed in them byte for byte.

use std::fs;
use std::time::Instant;

use lab::cluster::{self, INSTALLER};
use lab::{Line, Node, Settings, Upstream};

use crate::application::{Witness, kubectl, try_kubectl, wait};
use crate::cluster::kill_later;
use crate::support::{connected_host, lab, words};

const NEW: &str = "/media/usb/new.tar";
const UPGRADE: [&str; 4] = ["upgrade", "--yes", "--bundle", NEW];
const BACK: [&str; 3] = ["upgrade", "--yes", "--back"];

fn installer(node: &Node, words: &[&str]) -> anyhow::Result<String> {
    node.run([&["timeout", "300", INSTALLER], words].concat())
}

#[test]
fn a_master_that_loses_its_power_in_an_upgrade_goes_on_and_back() {
    let newest = Line::default();
    if Line::of_tests().unwrap() != newest {
        println!("skipped: it has its own two releases, and runs once");
        return;
    }
    let Some(host) = connected_host() else { return };
    let (_, old) = host.bundle();
    let folder = host.folder().join("kept");
    fs::create_dir(&folder).unwrap();
    let kept = folder.join("lab.tar");
    fs::rename(old, &kept).unwrap();
    // Only one upstream runs at a time.
    let work = host.close();
    let restamped: Line = "1.37.3".parse().unwrap();
    let upstream = Upstream::up(restamped).unwrap();
    let built = cluster::bundle(&upstream, &work.path().join("new")).unwrap();
    drop(upstream);
    let new = folder.join("new.tar");
    fs::rename(built, &new).unwrap();

    let Some(lab) = lab(&Settings { nodes: 1, ..Settings::default() }) else { return };
    let [master] = lab.nodes() else { panic!("one node") };
    let _witness = Witness(master);
    cluster::install(&lab, &kept, "").unwrap();
    master.insert(&new).unwrap();
    kubectl(master, &["create", "configmap", "kept", "--from-literal=a=b"]);
    let uid = ["get", "configmap", "kept", "--output=jsonpath={.metadata.uid}"];
    let before = kubectl(master, &uid);
    assert_whole(master, newest);

    let begun = Instant::now();
    for (command, seconds) in
        [("images import", 0), ("kubeadm upgrade apply", 8), ("systemctl stop kubelet", 0)]
    {
        lose_power(master, &UPGRADE, command, seconds);
        println!("{:>4} s: power lost in `{command}`", begun.elapsed().as_secs());
    }
    println!("{}", installer(master, &UPGRADE).unwrap());
    assert_whole(master, restamped);
    println!("{:>4} s: the upgrade has ended", begun.elapsed().as_secs());
    let again = installer(master, &UPGRADE).unwrap();
    assert!(again.contains("there is nothing to do"), "{again}");

    println!("{}", installer(master, &BACK).unwrap());
    assert_whole(master, newest);
    println!("{:>4} s: it is back", begun.elapsed().as_secs());
    assert_eq!(kubectl(master, &uid), before);
}

/// Begins a run, takes the power so many seconds after a command of it began, and gives it
/// back.
fn lose_power(master: &Node, line: &[&str], command: &str, seconds: u64) {
    kill_later(master, command, seconds, || installer(master, line));
    master.start().unwrap();
}

/// All parts are of this release, and doctor finds nothing.
fn assert_whole(master: &Node, line: Line) {
    let version = format!("v{}", line.kubernetes);
    wait(&format!("the node to be Ready in {version}"), || {
        let said = try_kubectl(master, &["get", "nodes", "--no-headers"]).unwrap_or_default();
        said.contains(" Ready ") && said.contains(&version)
    });
    let images = "jsonpath={.items[*].spec.containers[0].image}";
    let of_plane = ["-n", "kube-system", "get", "pods", "-l", "tier=control-plane", "-o", images];
    let images = kubectl(master, &of_plane);
    assert_eq!(images.matches(&version).count(), 3, "{images}");
    let proxy = ["-n", "kube-system", "get", "ds", "kube-proxy", "-o", "yaml"];
    assert!(kubectl(master, &proxy).contains(&format!("kube-proxy:{version}")));
    kubectl(master, &["-n", "kube-system", "rollout", "status", "ds,deploy", "--timeout=120s"]);
    wait("doctor to find nothing", || {
        words(&master.exec([INSTALLER, "doctor"]).unwrap()).contains("nothing is wrong")
    });
}
