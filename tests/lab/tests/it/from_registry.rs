//! A cluster from the site's registry: each node has the installer's file, and nothing else.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use lab::cluster::{INSTALLER, JOIN_FILE, MASTER, WORKER, configure};
use lab::{Settings, program};
use serde_json::Value;

use crate::application::{Witness, assert_serves, kubectl, spread, wait};
use crate::site_registry::SiteRegistry;
use crate::support::{connected_host, lab, words};
use crate::up::{Operator, receipt, receipts};

/// The digests and sizes of an image's layers.
fn layers(lock: &Value, part: &str) -> Vec<(String, u64)> {
    let images = lock["images"].as_array().unwrap().iter();
    let mut layers = Vec::new();
    for image in images.filter(|image| image["name"].as_str().unwrap().contains(part)) {
        for layer in image["platforms"][0]["layers"].as_array().unwrap() {
            let digest = layer["digest"].as_str().unwrap().to_owned();
            layers.push((digest, layer["size"].as_u64().unwrap()));
        }
    }
    assert!(!layers.is_empty(), "{part}");
    layers
}

#[test]
#[ignore = "takes four minutes: scripts/nightly"]
fn a_master_and_a_worker_are_made_of_a_registry_alone() {
    let Some(host) = connected_host() else { return };
    let (lock, bundle) = host.bundle();
    let Some(lab) = lab(&Settings { nodes: 2, ..Settings::default() }) else { return };
    let [master, worker] = lab.nodes() else { panic!("two nodes") };
    let _witness = Witness(master);
    let registry = SiteRegistry::start(&bundle);
    let address = SiteRegistry::address();
    for node in lab.nodes() {
        node.insert(&program("installer").unwrap()).unwrap();
        node.copy(Path::new(&registry.ca()), "/root/ca.crt").unwrap();
    }
    let from = ["--bundle", &address, "--registry-ca", "/root/ca.crt"];
    let patience = ["timeout", "480", INSTALLER, "--yes"];
    configure(master, "").unwrap();
    let begun = Instant::now();
    master.run([&patience[..], &MASTER, &from].concat()).unwrap();
    println!("a master in {:.1} s", begun.elapsed().as_secs_f64());
    let receipt = master.run(["cat", "/var/lib/kubeferry/receipt.jsonl"]).unwrap();
    assert!(receipt.contains(&format!("\"at\":\"{address}@sha256:")), "{receipt}");
    let join = master.run([INSTALLER, "token"]).unwrap();
    worker.write(JOIN_FILE, &join).unwrap();
    let begun = Instant::now();
    worker.run([&patience[..], &WORKER, &from].concat()).unwrap();
    println!("a worker in {:.1} s", begun.elapsed().as_secs_f64());
    let node = format!("node/{}", worker.name);
    kubectl(master, &["wait", "--for=condition=Ready", &node, "--timeout=120s"]);

    // Each node took what its role needs, and no large blob twice.
    let (of_master, of_worker) = (registry.taken_by(master), registry.taken_by(worker));
    let sum = |taken: &HashMap<String, u64>| taken.values().sum::<u64>();
    println!(
        "the bundle has {} bytes, the master took {}, the worker {}",
        fs::metadata(&bundle).unwrap().len(),
        sum(&of_master),
        sum(&of_worker)
    );
    for part in ["/etcd", "/kube-apiserver"] {
        for (digest, size) in layers(&lock, part) {
            assert_eq!(of_master.get(&digest), Some(&size), "{part} on the master");
            if layers(&lock, "/kube-proxy").iter().all(|(other, _)| *other != digest) {
                assert_eq!(of_worker.get(&digest), None, "{part} on the worker");
            }
        }
    }
}

#[test]
#[ignore = "takes four minutes: scripts/nightly"]
fn one_line_makes_all_nodes_of_a_registry_through_a_power_loss_and_a_registry_that_is_away() {
    let Some(host) = connected_host() else { return };
    let (_, bundle) = host.bundle();
    let Some(lab) = lab(&Settings::default()) else { return };
    let [master, _, third] = lab.nodes() else { panic!("three nodes") };
    let _witness = Witness(master);
    let mut registry = SiteRegistry::start(&bundle);
    let address = SiteRegistry::address();
    let operator = Operator::new(&lab, 1);
    operator.know(lab.nodes());
    let ca = registry.ca();
    let line = ["--bundle", &address, "--registry-ca", &ca, "--yes"];

    let begun = Instant::now();
    let child = operator.command(&line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.unwrap();
    wait("node3's images", || receipt(third).contains("\"step\":\"images\""));
    third.kill().unwrap();
    let said = child.wait_with_output().unwrap();
    let text = words(&said);
    println!("{text}");
    assert_eq!(said.status.code(), Some(1));
    assert!(text.contains(&format!("at {address}@sha256:")), "{text}");
    assert!(text.contains("node2  is a worker; ") && text.contains("node3  failed"), "{text}");
    // None of them has a copy of the bundle.
    let kept = master.run(["du", "--summarize", "--block-size=1", "/var/lib/kubeferry-up"]);
    let kept: u64 = kept.unwrap().split_whitespace().next().unwrap().parse().unwrap();
    let installer = fs::metadata(program("installer").unwrap()).unwrap().len();
    assert!(kept < installer + (1 << 20), "{kept} bytes beside {installer} of the installer");

    third.start().unwrap();
    registry.stop();
    let before = receipts(&lab);
    let said = operator.up(&line);
    let text = words(&said);
    assert_eq!(said.status.code(), Some(1));
    assert!(text.contains(&format!("opening {address}")), "{text}");
    assert!(text.contains("cannot reach") && text.contains("hint: "), "{text}");
    assert_eq!(receipts(&lab), before);

    registry.start_again(&bundle);
    let said = operator.up(&line);
    println!("{}", words(&said));
    println!("{:.0} s in all", begun.elapsed().as_secs_f64());
    assert!(said.status.success());
    spread(master);
    assert_serves(&lab);
    let before = receipts(&lab);
    let said = operator.up(&line);
    let text = words(&said);
    assert!(said.status.success() && text.matches("nothing to do").count() == 3, "{text}");
    assert_eq!(receipts(&lab), before);
}
