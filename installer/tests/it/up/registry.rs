//! All nodes from a registry: each reads there what it needs.

use std::fs;

use distribution::site::Reach;
use installer::site::carried::Origin;

use super::far_nodes::FarNodes;
use super::{W2_DONE, ends, from, install, sent_from_here, with};

const ADDRESS: &str = "oci://registry.site/kubeferry/demo:1@sha256:";

/// The commands of installers on nodes that need a bundle.
fn installers(nodes: &FarNodes) -> Vec<String> {
    let said = nodes.said.lock().unwrap();
    let lines = said.iter().filter_map(|(_, words, _)| words.last().cloned());
    lines.filter(|line| line.contains(" --role ")).collect()
}

#[test]
fn nodes_get_the_address_and_the_authority_and_no_bundle() {
    let folder = tempfile::tempdir().unwrap();
    let ca = ["a/ca.crt", "b/ca.crt"].map(|name| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, name).unwrap();
        path
    });
    let reach = Reach { ca: ca.into(), plain_http: false };
    let nodes = with(&[]);
    let tried = from(Origin::Registry(ADDRESS, &reach), &nodes, &[], install);
    assert_eq!(tried.problems, []);
    assert_eq!(ends(&tried), ["m1 done", "m2 done", "w1 done", W2_DONE]);
    // Two files for each of four nodes, and no node gives anything to another one.
    assert_eq!(sent_from_here(&nodes), 8, "{:?}", tried.told);
    assert!(tried.told.iter().all(|line| !line.contains("from m")), "{:?}", tried.told);
    let lines = installers(&nodes);
    assert_eq!(lines.len(), 8, "a plan and a run for each: {lines:?}");
    for line in &lines {
        assert!(line.contains(&format!("--bundle {ADDRESS} --registry-ca /var/lib/")), "{line}");
        assert!(line.contains("/authority-1.pem") && !line.contains("--plain-http"), "{line}");
    }

    nodes.said.lock().unwrap().clear();
    let tried = from(Origin::Registry(ADDRESS, &reach), &nodes, &[], install);
    assert_eq!(ends(&tried), ["m1 already", "m2 already", "w1 already", "w2 already"]);
    assert_eq!(sent_from_here(&nodes), 0);
}

#[test]
fn a_registry_without_tls_needs_no_file_on_the_nodes() {
    let reach = Reach { ca: Vec::new(), plain_http: true };
    let nodes = with(&[]);
    let tried = from(Origin::Registry(ADDRESS, &reach), &nodes, &[], install);
    assert_eq!(tried.problems, []);
    assert_eq!(sent_from_here(&nodes), 0, "{:?}", tried.told);
    let lines = installers(&nodes);
    assert!(!lines.is_empty() && lines.iter().all(|line| line.contains(" --plain-http")));
}
