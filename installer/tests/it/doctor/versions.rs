//! Versions of the cluster's parts, as a master sees them, and a node without new pods.

use installer::role::Role;
use serde_json::json;

use super::assert_first;
use crate::node::member::Member;

/// A master of 1.28.2 whose cluster has these API servers, and kubelets of other nodes.
fn master(servers: &[(&str, &str)], kubelets: &[(&str, &str)]) -> Member {
    let member = Member::new(Role::Master);
    let lines = servers.iter().map(|(node, version)| format!("{node} {version}\n"));
    member.write("run/api-servers", &lines.collect::<String>());
    let node = |(name, version): &(&str, &str)| json!({"metadata": {"name": name}, "status": {"nodeInfo": {"kubeletVersion": version}}});
    let items: Vec<_> = kubelets.iter().map(node).collect();
    member.write("run/api-nodes.json", &json!({ "items": items }).to_string());
    member
}

#[test]
fn api_servers_that_are_too_far_apart() {
    let near = master(&[("node-1", "v1.28.2"), ("m2", "v1.29.1")], &[]);
    assert_eq!(near.diagnose().findings, []);
    let far = master(&[("node-1", "v1.30.0"), ("m2", "v1.28.9"), ("m3", "v1.29.1")], &[]);
    assert_first(
        &far.diagnose(),
        "the API server of m2 (1.28.9) is more than one minor release older than the API server of \
         node-1 (1.30.0)",
        "on m2: ./installer upgrade, one minor release after the other",
    );
}

#[test]
fn a_kubelet_that_one_of_the_api_servers_is_too_old_for() {
    let servers = [("node-1", "v1.29.1"), ("m2", "v1.28.2")];
    let good = [("w1", "v1.28.2"), ("w2", "v1.26.0"), ("node-1", "v9.9.9")];
    assert_eq!(master(&servers, &good).diagnose().findings, []);
    assert_first(
        &master(&servers, &[("w1", "v1.29.1")]).diagnose(),
        "the kubelet of w1 (1.29.1) is newer than the API server of m2 (1.28.2)",
        "upgrade m2 with the same bundle; or on w1 ./installer upgrade --back",
    );
    assert_first(
        &master(&servers, &[("w1", "v1.25.0")]).diagnose(),
        "the kubelet of w1 (1.25.0) is too old for the API server of node-1 (1.29.1)",
        "on w1 ./installer upgrade, one minor release after the other",
    );
    assert_first(
        &master(&[("node-1", "v1.28.2"), ("m2", "v1.27.4")], &[]).diagnose(),
        "kubelet 1.28.2 is newer than the API server of m2 (1.27.4)",
        "upgrade m2 with the same bundle; or here ./installer upgrade --back",
    );
}

#[test]
fn a_node_that_a_person_has_cordoned_is_a_warning() {
    let member = Member::new(Role::Worker);
    member.write("run/cordoned", "");
    let found = member.diagnose();
    assert_eq!((found.findings.len(), found.warnings.len()), (0, 1), "{found:#?}");
    let cause = "no new pods come to this node: somebody has cordoned it";
    assert_eq!(found.warnings[0].cause, cause);
    member.type_in(&found.warnings[0].cure);
    assert_eq!(member.diagnose().warnings, []);
}
