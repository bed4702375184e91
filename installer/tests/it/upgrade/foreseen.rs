//! What the new kubeadm says before anything is changed.

use installer::preflight::upgrading::new_kubeadm::{Foreseen, foresee};
use installer::role::Role;

use super::{member, old, upgraded};
use crate::node::member::Member;

const SERVER: &str = "--- /etc/kubernetes/manifests/kube-apiserver.yaml\n+++ new manifest\n\
                      +    - --new\n";

fn ask(member: &Member) -> Foreseen {
    foresee(&member.node.look(None).0, &member.node.intent())
}

/// The files that it would change.
fn changes(member: &Member) -> Vec<String> {
    match ask(member) {
        Foreseen::Changes(files) => files,
        other => panic!("it answers: {other:?}"),
    }
}

#[test]
fn what_the_new_kubeadm_would_change_is_known_before() {
    let member = upgraded(member(Role::Master));
    let before = member.node.tree();
    member.write("run/foreseen", &format!("[upgrade/diff] Reading configuration\n{SERVER}"));
    assert_eq!(changes(&member), [SERVER]);
    member.remove("run/foreseen");
    assert_eq!(member.node.tree(), before, "nothing is left");
}

#[test]
fn a_cluster_that_the_new_kubeadm_refuses_is_a_problem() {
    let member = upgraded(member(Role::Master));
    member.write("run/foreseen", "error: it uses an old API spec");
    let answer = ask(&member);
    let Foreseen::Refusal(problem) = answer else { panic!("it refuses: {answer:?}") };
    let words = "the new kubeadm does not take this cluster as it is: exited with status 1: error: it \
                 uses an old API spec";
    assert_eq!(problem.to_string(), words);
    // Whatever else it cannot do may be a fault of its `diff` only.
    member.write("run/foreseen", "error: empty manifest path");
    let Foreseen::Unknown(warning) = ask(&member) else { panic!("it is not known") };
    assert!(warning.to_string().ends_with("it exited with status 1: error: empty manifest path"));
}

#[test]
fn a_kubeadm_that_cannot_be_asked_stops_nothing() {
    let member = upgraded(member(Role::Master));
    member.write("run/no-cpio", "");
    let Foreseen::Unknown(warning) = ask(&member) else { panic!("it cannot be asked") };
    let words = "the new kubeadm does not say what it will change: taking it out of \
                 rpms/el9-x86_64/kubeadm-1.29.1-1.x86_64.rpm exited with status 1";
    assert_eq!(warning.to_string(), words);
}

/// Nobody has agreed to the bundle yet.
#[test]
fn a_kubeadm_that_no_vendor_of_the_node_has_signed_is_not_run() {
    let member = upgraded(member(Role::Master));
    member.write("run/unsigned", "");
    member.write("run/foreseen", SERVER);
    let Foreseen::Unknown(warning) = ask(&member) else { panic!("it is not asked") };
    let words = "the new kubeadm does not say what it will change: no vendor's key on this node has \
                 signed rpms/el9-x86_64/kubeadm-1.29.1-1.x86_64.rpm";
    assert_eq!(warning.to_string(), words);
}

#[test]
fn only_a_master_that_gets_a_new_kubeadm_asks_it() {
    let mut member = upgraded(member(Role::Master));
    member.node.change = old;
    member.write("run/foreseen", SERVER);
    assert_eq!(changes(&member), [""; 0]);
    member.node.change = super::new;
    member.write("run/api-silent", "");
    assert_eq!(changes(&member), [""; 0]);
    let worker = upgraded(super::member(Role::Worker));
    worker.write("run/foreseen", SERVER);
    assert_eq!(changes(&worker), [""; 0]);
}
