//! Three masters behind one address and two workers go to the next minor release of
//! Kubernetes, and back, while the application answers.

use std::time::Duration;

use lab::cluster;
use lab::{Node, Settings};

use crate::application::{Witness, kubectl, wait};
use crate::cluster::kill_later;
use crate::masters::{bring, join, names, voters};
use crate::silence::longest_silence;
use crate::support::lab;
use crate::upgrade::{
    NEW, assert_all_have, assert_well, await_application, bring_images, bundles, insert_new,
    installer, refused, spread_application,
};
use crate::virtual_address::{IN_SPEC, config};

const UPGRADE: [&str; 4] = ["upgrade", "--yes", "--bundle", NEW];
const BACK: [&str; 3] = ["upgrade", "--yes", "--back"];

/// Objects that are made while it goes on are there at its end.
fn mark(master: &Node, name: &str) {
    kubectl(master, &["create", "configmap", name, "--from-literal=a=b"]);
}

#[test]
#[ignore = "takes twenty minutes, and two lines of Kubernetes: scripts/nightly"]
fn three_masters_go_to_the_next_minor_release_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let Some([old, new]) = bundles(folder.path(), IN_SPEC) else { return };
    let Some(lab) = lab(&Settings { nodes: 5, ..Settings::default() }) else { return };
    let [first, second, third, fourth, fifth] = lab.nodes() else { panic!("five nodes") };
    let (masters, workers) = ([first, second, third], [fourth, fifth]);
    let _witness = Witness(first);
    cluster::insert_stick(&lab, &old).unwrap();
    cluster::master(first, &config(&lab, 3)).unwrap();
    bring(first, &[second, third]);
    join(second).unwrap();
    join(third).unwrap();
    workers.iter().for_each(|worker| drop(cluster::worker(first, worker).unwrap()));
    assert_eq!(voters(first), names(&masters));
    spread_application(first);
    kubectl(first, &["create", "pdb", "web", "--selector=app=web", "--min-available=2"]);
    mark(first, "kept");
    insert_new(&lab, &new);
    assert_all_have(&lab, "v1.36.3");

    bring_images(first, &lab.nodes()[1..]);
    // Like a balancer before the workers that asks both, and takes the one that answers.
    let addresses = workers.map(|worker| worker.address.to_string());
    let addresses = addresses.each_ref().map(String::as_str);
    await_application(&addresses);
    let forward = longest_silence(&addresses, || upgrade_all(&masters, &workers));
    println!("the application was silent for {:.1} s at most", forward.as_secs_f64());
    assert_all_have(&lab, "v1.37.2");
    assert_well(&lab);
    assert_eq!(voters(second), names(&masters));

    // Workers first, and the master last that was the first.
    mark(second, "later");
    let said = refused(third, &BACK);
    assert!(said.contains("node4 has a kubelet of 1.37.2"), "{said}");
    let silence = longest_silence(&addresses, || {
        for node in [fourth, fifth] {
            println!("{}", installer(node, &BACK).unwrap());
        }
        let said = refused(first, &BACK);
        assert!(said.contains("node2 has a kubelet of 1.37.2"), "{said}");
        for node in [second, third, first] {
            println!("{}", installer(node, &BACK).unwrap());
        }
    });
    println!("the application was silent for {:.1} s at most", silence.as_secs_f64());
    assert_all_have(&lab, "v1.36.3");
    assert_well(&lab);
    assert_eq!(voters(first), names(&masters));
    for name in ["first", "second", "later"] {
        kubectl(third, &["get", "configmap", name]);
    }
    // Last, so that all else is known when the goal is missed.
    for silence in [forward, silence] {
        assert!(silence <= Duration::from_secs(1), "{silence:?}");
    }
}

/// The newer etcd does not start. The other members are older, so the way back is open.
fn come_back_without_etcd(first: &Node) {
    let broken = r"s/^    - etcd$/    - etcd\n    - --no-such-option/";
    first.run(["sed", "-i", broken, "/etc/kubernetes/manifests/etcd.yaml"]).unwrap();
    let own = format!("https://{}:6443", first.address);
    let readyz = ["kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf", "--server", &own];
    let readyz = [&readyz[..], &["--request-timeout", "5s", "get", "--raw", "/readyz"]].concat();
    wait("etcd to be gone", || !first.exec(&readyz).unwrap().status.success());
    println!("{}", installer(first, &BACK).unwrap());
}

/// Masters in turn, of which the first also goes back, and the second loses its power in
/// `kubeadm upgrade node`; then the workers.
fn upgrade_all(masters: &[&Node; 3], workers: &[&Node; 2]) {
    let [first, second, third] = masters;
    println!("{}", installer(first, &UPGRADE).unwrap());
    come_back_without_etcd(first);
    println!("{}", installer(first, &UPGRADE).unwrap());
    mark(first, "first");
    let said = refused(workers[0], &UPGRADE);
    assert!(said.contains("upgrade all masters first"), "{said}");
    kill_later(second, "kubeadm upgrade node", 15, || installer(second, &UPGRADE));
    mark(first, "second");
    second.start().unwrap();
    println!("{}", installer(second, &UPGRADE).unwrap());
    println!("{}", installer(third, &UPGRADE).unwrap());
    workers.iter().for_each(|worker| println!("{}", installer(worker, &UPGRADE).unwrap()));
}
