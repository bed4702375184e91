//! A master whose newer etcd never answers again goes back on the snapshot of before its
//! upgrade.

use lab::Settings;
use lab::cluster;

use crate::application::{Witness, ask_kubectl, kubectl, try_kubectl, wait};
use crate::support::lab;
use crate::upgrade::{NEW, assert_all_have, assert_well, bundles, insert_new, installer, refused};

#[test]
#[ignore = "takes seven minutes, and two lines of Kubernetes: scripts/nightly"]
fn a_master_without_its_newer_etcd_goes_back_on_the_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let Some([old, new]) = bundles(folder.path(), "") else { return };
    let Some(lab) = lab(&Settings { nodes: 1, ..Settings::default() }) else { return };
    let [master] = lab.nodes() else { panic!("one node") };
    let _witness = Witness(master);
    cluster::install(&lab, &old, "").unwrap();
    insert_new(&lab, &new);
    kubectl(master, &["create", "configmap", "kept", "--from-literal=a=b"]);
    assert_all_have(&lab, "v1.36.3");

    println!("{}", installer(master, &["upgrade", "--yes", "--bundle", NEW]).unwrap());
    kubectl(master, &["create", "configmap", "lost", "--from-literal=a=b"]);
    let broken = r"s/^    - etcd$/    - etcd\n    - --no-such-option/";
    master.run(["sed", "-i", broken, "/etc/kubernetes/manifests/etcd.yaml"]).unwrap();
    wait("etcd to be gone", || try_kubectl(master, &["get", "--raw", "/readyz"]).is_none());

    let back = ["upgrade", "--yes", "--back"];
    let said = refused(master, &back);
    assert!(said.contains("give --from-snapshot"), "{said}");
    println!("{}", installer(master, &[&back[..], &["--from-snapshot"]].concat()).unwrap());
    assert_all_have(&lab, "v1.36.3");
    let said = ask_kubectl(master, &["get", "configmap", "lost"]).unwrap_err();
    assert!(format!("{said:#}").contains("NotFound"), "{said:#}");
    assert_well(&lab);
}
