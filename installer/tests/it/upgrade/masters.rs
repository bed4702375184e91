//! One of several masters goes to a new bundle, and back.

use std::panic::{AssertUnwindSafe, catch_unwind};

use installer::preflight;
use installer::role::Role;

use super::{apply, member, problems, tree, upgraded, without_authority};
use crate::node::member::Member;
use crate::node::{Fault, difference};

const SETTINGS: &str = "kubernetesVersion: v1.29.1\n";

/// A further master: `node-2` was upgraded before it, `node-3` was not.
pub(super) fn further() -> Member {
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
    let member = further();
    member.write("run/cordoned-masters", "node-3\n");
    let told = preflight::warnings(&member.node.look(None).0, &member.node.intent());
    let told: Vec<String> = told.iter().map(ToString::to_string).collect();
    assert!(told.iter().any(|one| one.starts_with("node-3 is cordoned")), "{told:?}");
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

#[test]
fn the_copy_says_who_was_first_when_kubeadm_began() {
    for (kept, now) in
        [("kubernetesVersion: v1.28.2\n", SETTINGS), (SETTINGS, "kubernetesVersion: v1.28.2\n")]
    {
        let whole = further();
        let made = apply(&whole.node, None).commands.made();
        let kubeadm = made.iter().position(|one| one.starts_with("kubeadm upgrade")).unwrap();
        let member = further();
        member.write("run/objects", kept);
        // It has the copy, and another master is upgraded, or goes back, before it goes on.
        let run = AssertUnwindSafe(|| apply(&member.node, Some(Fault::Killed(kubeadm - 1))).end);
        drop(catch_unwind(run));
        member.write("run/objects", now);
        let applied = apply(&member.node, None);
        applied.end.unwrap();
        let is_first = applied.commands.made().iter().any(|one| one.contains("upgrade apply"));
        assert_eq!(is_first, now != SETTINGS);
        let copy = member.read("var/lib/kubeferry/upgrade/objects.json");
        assert!(copy.contains(now.trim()), "{copy}");
    }
    // kubeadm has begun: what it has changed since is no other master's.
    let member = further();
    member.write("run/objects", "kubernetesVersion: v1.28.2\n");
    let made = apply(&member.node, None).commands.made();
    let kubeadm = made.iter().position(|one| one.starts_with("kubeadm upgrade")).unwrap();
    let member = further();
    member.write("run/objects", "kubernetesVersion: v1.28.2\n");
    let run = AssertUnwindSafe(|| apply(&member.node, Some(Fault::Killed(kubeadm))).end);
    drop(catch_unwind(run));
    member.write("run/objects", SETTINGS);
    let applied = apply(&member.node, None);
    applied.end.unwrap();
    assert!(applied.commands.made().iter().any(|one| one.contains("upgrade apply")));
}

#[test]
fn an_upgrade_that_goes_on_later_does_not_stop_etcd() {
    let made = apply(&further().node, None).commands.made();
    for ends_etcd in ["kubeadm upgrade node", "systemctl stop kubelet"] {
        let nth = made.iter().position(|one| one.starts_with(ends_etcd)).unwrap();
        let member = further();
        let run = AssertUnwindSafe(|| apply(&member.node, Some(Fault::Killed(nth - 1))).end);
        drop(catch_unwind(run));
        let silent = "1 node-1 10.0.0.2\n2 node-2 10.0.0.3 silent\n3 node-3 10.0.0.4\n";
        // A pod's file says which member is this node's.
        let etcd = member.read("etc/kubernetes/manifests/etcd.yaml");
        let own = "command: [etcd, '--initial-advertise-peer-urls=https://10.0.0.2:2380'], image:";
        member.write("etc/kubernetes/manifests/etcd.yaml", &etcd.replace("image:", own));
        member.write("run/etcd", silent);
        let applied = apply(&member.node, None);
        let said = format!("{:#}", applied.end.unwrap_err());
        assert!(said.contains("etcd would stop without this node, because node-2"), "{said}");
        assert!(!applied.commands.made().iter().any(|one| one.starts_with(ends_etcd)));
        member.write("run/etcd", &silent.replace(" silent", ""));
        apply(&member.node, None).end.unwrap();
    }
}
