//! A cluster goes through two minor releases by one bundle, which has both.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lab::cluster;
use lab::{Line, Settings, Upstream};

use crate::application::Witness;
use crate::silence::longest_silence;
use crate::support::lab;
use crate::upgrade::{
    NEW, are_prepared, assert_all_have, assert_nothing_is_left, assert_well, begin, bring_images,
    installer, refused,
};

const LINES: [&str; 3] = ["1.35", "1.36", "1.37"];

/// The bundle of the oldest line, and the one that goes from there to the newest; none, with
/// the word why, if they cannot be made.
fn bundles(folder: &Path) -> Option<[PathBuf; 2]> {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: the lab makes namespaces and mounts, as root");
        return None;
    }
    if Line::of_tests().unwrap() != Line::default() {
        println!("skipped: it has its own lines, and runs once");
        return None;
    }
    if !are_prepared(&LINES) {
        return None;
    }
    let [first, second, last] = LINES.map(|line| line.parse::<Line>().unwrap());
    let old = cluster::bundle(&Upstream::up(first).unwrap(), &folder.join("old")).unwrap();
    let upstream = Upstream::up_from(&[first, second], last).unwrap();
    let new = cluster::bundle(&upstream, &folder.join("new")).unwrap();
    Some([old, new])
}

#[test]
#[ignore = "takes ten minutes, and three lines of Kubernetes: scripts/nightly"]
fn a_cluster_goes_two_minor_releases_by_one_bundle() {
    let folder = tempfile::tempdir().unwrap();
    let Some(bundles) = bundles(folder.path()) else { return };
    let sizes = bundles.each_ref().map(|path| fs::metadata(path).unwrap().len() >> 20);
    println!("the bundles have {} MB and {} MB", sizes[0], sizes[1]);
    let Some(lab) = lab(&Settings { nodes: 2, ..Settings::default() }) else { return };
    let [master, worker] = lab.nodes() else { panic!("two nodes") };
    let _witness = Witness(master);
    let addresses = begin(&lab, &bundles, "v1.35.4");
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let upgrade = ["upgrade", "--yes", "--bundle", NEW];
    let without_drain = [&upgrade[..], &["--no-drain"]].concat();
    let plan = ["upgrade", "--dry-run", "--bundle", NEW];
    let said = refused(worker, &upgrade);
    assert!(said.contains("upgrade all masters first"), "{said}");
    let said = refused(master, &upgrade);
    assert!(said.contains("node2 has not got "), "{said}");
    // All of them at once.
    bring_images(master, &lab.nodes()[1..]);
    let planned = installer(master, &plan).unwrap();
    assert!(planned.contains("gets 1.36.3 from the bundle lab, on the way to 1.37.2"), "{planned}");
    assert!(!planned.contains("ingress-nginx"), "manifests come with the last: {planned}");

    let silence = longest_silence(&addresses, || {
        let said = installer(master, &upgrade).unwrap();
        println!("{said}");
        assert!(said.contains("then on the first master again, for Kubernetes 1.37.2"), "{said}");
        // Its worker has 1.35.4.
        let said = refused(master, &upgrade);
        assert!(said.contains("node2 has Kubernetes 1.35.4, and its cluster 1.36.3"), "{said}");
        println!("{}", installer(worker, &without_drain).unwrap());
        assert_all_have(&lab, "v1.36.3");
        let status = installer(master, &["status"]).unwrap();
        assert!(
            status.contains("can be taken back from its upgrade from Kubernetes 1.35.4 to 1.36.3")
        );

        let planned = installer(master, &plan).unwrap();
        println!("{planned}");
        let words = "this finishes the upgrade from Kubernetes 1.35.4 to 1.36.3, which cannot be \
                     taken back then";
        assert!(planned.contains(words), "{planned}");
        println!("{}", installer(master, &upgrade).unwrap());
        println!("{}", installer(worker, &without_drain).unwrap());
    });
    println!("the application was silent for {:.1} s at most", silence.as_secs_f64());
    assert!(silence < Duration::from_secs(120), "{silence:?}");
    assert_all_have(&lab, "v1.37.2");
    assert_well(&lab);
    assert_nothing_is_left(&lab);

    // The way back is that of the last release only.
    let back = ["upgrade", "--yes", "--back"];
    println!("{}", installer(worker, &back).unwrap());
    println!("{}", installer(master, &back).unwrap());
    assert_all_have(&lab, "v1.36.3");
    let said = installer(master, &back).unwrap();
    assert!(said.contains("is back at Kubernetes 1.36.3; there is nothing to do"), "{said}");
    // And forward again, by the same bundle.
    println!("{}", installer(master, &upgrade).unwrap());
    println!("{}", installer(worker, &without_drain).unwrap());
    assert_all_have(&lab, "v1.37.2");
    assert_well(&lab);
}
