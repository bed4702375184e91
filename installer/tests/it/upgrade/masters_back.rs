//! One of several masters goes back from an upgrade.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use installer::receipt;
use installer::role::Role;
use installer::upgrade::{self, Return, Way};

use super::back::returned;
use super::masters::further;
use super::{apply, back};
use crate::node::member::Member;
use crate::node::{Fault, difference};

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
    member.write("run/api-servers", "node-1 v1.29.1\nnode-2 v1.28.2\n");
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
fn a_master_in_the_middle_of_its_upgrade_keeps_the_others_from_going_back() {
    let member = further();
    apply(&member.node, None).end.unwrap();
    member.write("run/kubelets", "node-1 v1.29.1\nnode-2 v1.28.2\nnode-3 v1.28.2\n");
    let told =
        "node-2 is in the middle of its upgrade: its API server has 1.29.1, its kubelet 1.28.2";
    assert_eq!(refused(&member), [told]);
}

#[test]
fn from_wherever_it_came_the_way_back_of_a_further_master_can_be_interrupted() {
    let whole = further();
    let before = returned(&whole.node);
    let made = apply(&whole.node, None).commands.made();
    let is_back = |member: &Member, from: &str| {
        let mut left = difference(&returned(&member.node), &before);
        // Pods that moved stay where they are.
        left.remove("run/pods");
        assert_eq!(left, BTreeSet::new(), "{from}");
    };
    for (nth, command) in made.iter().enumerate().skip(5) {
        let mut faults = vec![Fault::Killed(nth)];
        faults.extend(command.starts_with("kubeadm ").then_some(Fault::Half(nth)));
        for fault in faults {
            let member = further();
            let run = AssertUnwindSafe(|| apply(&member.node, Some(fault)).end);
            drop(catch_unwind(run));
            back::back(&member.node, None).0.unwrap();
            is_back(&member, &format!("back from {fault:?} of {command}"));
        }
    }
    // Also if it is the one that has all members go back.
    for others in ["3.6.1\n3.5.9\n", "3.6.1\n3.6.1\n"] {
        let upgraded = || {
            let member = further();
            apply(&member.node, None).end.unwrap();
            member.write("run/etcd-others", others);
            member
                .write("run/etcd-storage", if others.contains("3.5") { "3.5.0" } else { "3.6.0" });
            member
        };
        let steps = back::back(&upgraded().node, None).1;
        assert_eq!(steps.iter().any(|one| one.contains("downgrade")), !others.contains("3.5"));
        for (nth, command) in steps.iter().enumerate() {
            for fault in [Fault::Refused(nth), Fault::Killed(nth)] {
                let member = upgraded();
                let run = AssertUnwindSafe(|| back::back(&member.node, Some(fault)).0);
                if let Ok(end) = catch_unwind(run) {
                    assert!(end.is_err(), "{fault:?} of {command}");
                }
                back::back(&member.node, None).0.unwrap();
                member.write("run/etcd-others", "3.6.1\n3.5.9\n");
                is_back(&member, &format!("{fault:?} of {command}"));
            }
        }
    }
}

#[test]
fn without_its_own_etcd_it_goes_back_if_another_member_is_older() {
    let member = further();
    apply(&member.node, None).end.unwrap();
    member.write("run/etcd-ill", "");
    let silent = "1 node-1 10.0.0.2 silent\n2 node-2 10.0.0.3\n3 node-3 10.0.0.4\n";
    member.write("run/etcd", silent);
    // What is not ready says nothing.
    member.write("run/etcd-pods", "node-2 3.6.1-0\nnode-3 3.5.9-0 False\n");
    let told = refused(&member);
    assert!(told.len() == 1 && told[0].starts_with("etcd does not answer"), "{told:?}");
    member.write("run/etcd-pods", "node-2 3.6.1-0\nnode-3 3.5.9-0\n");
    assert_eq!(upgrade::way(&member.node.look(None).0).unwrap(), Way::Stay);
    let (end, made) = back::back(&member.node, None);
    end.unwrap();
    assert!(!made.iter().any(|one| one.contains("downgrade")), "{made:#?}");
}

#[test]
fn what_was_noted_of_etcd_does_not_count_when_others_have_been_upgraded_since() {
    let member = further();
    apply(&member.node, None).end.unwrap();
    member.write("run/etcd-others", "3.6.1\n3.6.1\n");
    member.write("run/etcd-storage", "3.6.0");
    let steps = back::back(&further_with_newer_others().node, None).1;
    let stop = steps.iter().position(|one| one == "systemctl stop kubelet").unwrap();
    let run = AssertUnwindSafe(|| back::back(&member.node, Some(Fault::Killed(stop))).0);
    drop(catch_unwind(run));
    assert!(member.node.root().join("var/lib/kubeferry/upgrade/etcd-way").exists());
    // Another master's upgrade has taken that back.
    member.remove("run/etcd-downgrade");
    member.write("run/etcd-storage", "3.6.0");
    let (end, made) = back::back(&member.node, None);
    end.unwrap();
    assert!(made[0].ends_with("downgrade enable 3.5"), "{made:#?}");
}

/// The same, when all other members have the newer release.
fn further_with_newer_others() -> Member {
    let member = further();
    apply(&member.node, None).end.unwrap();
    member.write("run/etcd-others", "3.6.1\n3.6.1\n");
    member.write("run/etcd-storage", "3.6.0");
    member
}
