//! One of several masters goes to a new bundle, and back.

use std::panic::{AssertUnwindSafe, catch_unwind};

use installer::receipt;
use installer::role::Role;
use installer::upgrade::{self, Return};

use super::{apply, back, member, problems, tree, upgraded, without_authority};
use crate::node::member::Member;
use crate::node::{Fault, difference};

const SETTINGS: &str = "kubernetesVersion: v1.29.1\n";

/// A further master: `node-2` was upgraded before it, `node-3` was not.
fn further() -> Member {
    let own = upgraded(member(Role::Master));
    own.write("run/objects", SETTINGS);
    // It has joined, and its join file is gone.
    own.write("opt/kubernetes/kubeadm-joined.yaml", "");
    own.write("run/etcd", "1 node-1 10.0.0.2\n2 node-2 10.0.0.3\n3 node-3 10.0.0.4\n");
    own.write("run/etcd-others", "3.6.1\n3.5.9\n");
    own.write("run/nodes", "node-1\nnode-2\nnode-3\nnode-4\n");
    own.write("run/masters", "node-1\nnode-2\nnode-3\n");
    own.write("run/api-servers", "node-1 v1.28.2\nnode-2 v1.29.1\nnode-3 v1.28.2\n");
    let kubelets = "node-1 v1.28.2\nnode-2 v1.29.1\nnode-3 v1.28.2\nnode-4 v1.28.2\n";
    own.write("run/kubelets", kubelets);
    own
}

#[test]
fn it_follows_the_first_whatever_fails() {
    let whole = further();
    assert_eq!(problems(&whole.node), [""; 0]);
    let applied = apply(&whole.node, None);
    applied.end.unwrap();
    let made = applied.commands.made();
    assert!(made.iter().any(|one| one.starts_with("kubeadm upgrade node --certificate-renewal")));
    assert!(!made.iter().any(|one| one.contains("upgrade apply")), "{made:#?}");
    let whole = without_authority(tree(&whole.node));
    for (nth, command) in made.iter().enumerate() {
        let mut faults = vec![Fault::Refused(nth), Fault::Killed(nth)];
        faults.extend(command.starts_with("kubeadm ").then_some(Fault::Half(nth)));
        for fault in faults {
            let member = further();
            let run = AssertUnwindSafe(|| apply(&member.node, Some(fault)).end);
            drop(catch_unwind(run));
            let again = apply(&member.node, None);
            again.end.unwrap_or_else(|error| panic!("{fault:?} of {command}: {error:#}"));
            let left = difference(&without_authority(tree(&member.node)), &whole);
            assert!(left.is_empty(), "{fault:?} of {command}: {left:?}");
        }
    }
}

#[test]
fn the_others_must_be_well() {
    let member = further();
    member.write("run/etcd", "1 node-1 10.0.0.2\n2 node-2 10.0.0.3 silent\n3 node-3 10.0.0.4\n");
    assert_eq!(problems(&member.node), ["the member node-2 of etcd does not answer"]);
    let learner = "1 node-1 10.0.0.2\n2 node-2 10.0.0.3\n3 node-3 10.0.0.4 learner\n";
    member.write("run/etcd", learner);
    assert_eq!(problems(&member.node), ["the member node-3 of etcd has no vote yet"]);
    let member = further();
    member.write("run/kubelets", "node-1 v1.28.2\nnode-2 v1.28.2\nnode-3 v1.28.2\n");
    let told =
        "node-2 is in the middle of its upgrade: its API server has 1.29.1, its kubelet 1.28.2";
    assert_eq!(problems(&member.node), [told]);
}

/// What is in the way of the way back.
fn refused(member: &Member) -> Vec<String> {
    let (host, _) = member.node.look(None);
    let open = receipt::upgrade(host.lines()).cloned().unwrap();
    let own = Return::of(&host, Role::Master, &open).unwrap().unwrap();
    let found = upgrade::problems(&host, &own).unwrap();
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn etcd_goes_back_for_all_members_once() {
    // The others' data are of the older form as long as one of them is.
    let lowers = |others: &str, storage: &str, is_told: bool| -> Vec<String> {
        let member = further();
        apply(&member.node, None).end.unwrap();
        member.write("run/etcd-others", others);
        member.write("run/etcd-storage", storage);
        if is_told {
            member.write("run/etcd-downgrade", "");
        }
        let (end, made) = back::back(&member.node, None);
        end.unwrap();
        made.into_iter().filter(|one| one.contains("downgrade")).collect()
    };
    assert_eq!(lowers("3.6.1\n3.5.9\n", "3.5.0", false), [""; 0]);
    let told = lowers("3.6.1\n3.6.1\n", "3.6.0", false);
    assert!(told.len() == 1 && told[0].ends_with("downgrade enable 3.5"), "{told:?}");
    // All have the newer release, and nobody has raised the form yet.
    assert_eq!(lowers("3.6.1\n3.6.1\n", "3.5.0", false).len(), 1);
    // Another master has gone back before.
    assert_eq!(lowers("3.6.1\n3.5.9\n", "3.5.0", true), [""; 0]);
}

#[test]
fn the_first_master_goes_back_last() {
    let member = further();
    apply(&member.node, None).end.unwrap();
    assert_eq!(refused(&member), [""; 0], "node-2 was upgraded before it");
    member.write("run/kubelets", "node-2 v1.29.1\nnode-4 v1.29.1\n");
    let newer =
        |name| format!("{name} has a kubelet of 1.29.1, newer than this node will be: 1.28.2");
    assert_eq!(refused(&member), [newer("node-4")], "a worker goes first");
    let member = further();
    member.write("run/objects", "kubernetesVersion: v1.28.2\n");
    let applied = apply(&member.node, None);
    applied.end.unwrap();
    assert!(applied.commands.made().iter().any(|one| one.contains("upgrade apply v1.29.1")));
    assert_eq!(refused(&member), [newer("node-2")]);
    member.write("run/kubelets", "node-1 v1.29.1\nnode-2 v1.28.2\n");
    assert_eq!(refused(&member), [""; 0]);
}

#[test]
fn without_the_others_it_does_not_go_back() {
    let member = further();
    apply(&member.node, None).end.unwrap();
    member.write("run/etcd", "1 node-1 10.0.0.2\n2 node-2 10.0.0.3 silent\n3 node-3 10.0.0.4\n");
    assert_eq!(refused(&member), ["these members of etcd do not answer: node-2"]);
}

#[test]
fn whoever_is_upgraded_again_ends_etcds_way_back() {
    let member = further();
    // Another master has gone back, or was about to.
    member.write("run/etcd-downgrade", "");
    let applied = apply(&member.node, None);
    applied.end.unwrap();
    let made = applied.commands.made();
    let place = |words: &str| made.iter().position(|one| one.contains(words)).unwrap();
    assert!(place("downgrade cancel") < place("kubeadm upgrade node"));
}
