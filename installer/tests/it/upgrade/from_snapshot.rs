//! The way back of a master whose newer etcd does not answer.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use installer::engine::run;
use installer::receipt;
use installer::role::Role;
use installer::upgrade::back::STEPS;
use installer::upgrade::{self, Return, Way};

use super::back::returned;
use super::{apply, member, upgraded};

use crate::node::member::Member;
use crate::node::{Fault, Node, difference};

/// A master whose newer etcd does not answer on what it has written.
fn broken() -> Member {
    let member = upgraded(member(Role::Master));
    apply(&member.node, None).end.unwrap();
    member.write("run/etcd-ill", "");
    member.write("var/lib/etcd/member/db", "of the newer etcd");
    member
}

/// Goes back; gives what is in the way, the end, and the commands.
fn back(
    node: &Node,
    from_snapshot: bool,
    fault: Option<Fault>,
) -> (Vec<String>, anyhow::Result<usize>, Vec<String>) {
    let (host, commands) = node.look(fault);
    let open = receipt::upgrade(host.lines()).cloned().unwrap();
    let own = Return { from_snapshot, ..Return::of(&host, node.role, &open).unwrap().unwrap() };
    let found = upgrade::problems(&host, &own).unwrap();
    let found = found.iter().map(|one| format!("{one}: {}", one.cure())).collect();
    let end = run::apply(&mut host.open().unwrap(), &own, &STEPS, &mut |_, _, _| ());
    (found, end, commands.made())
}

fn before() -> crate::node::Tree {
    returned(&upgraded(member(Role::Master)).node)
}

/// The node is as it was, on the data of the snapshot.
fn assert_back(member: &Member, words: &str) {
    let mut left = difference(&returned(&member.node), &before());
    left.remove("run/pods");
    assert_eq!(left, BTreeSet::new(), "{words}");
    assert_eq!(member.read("var/lib/etcd/member/db"), "of the snapshot", "{words}");
}

#[test]
fn a_master_goes_back_on_the_snapshot_only_if_told_so() {
    let member = broken();
    let (found, end, made) = back(&member.node, false, None);
    assert!(found[0].contains("give --from-snapshot, which loses"), "{found:?}");
    end.unwrap_err();
    assert_eq!(made, [""; 0]);

    let (host, _) = member.node.look(None);
    let open = receipt::upgrade(host.lines()).cloned().unwrap();
    let own = Return::of(&host, Role::Master, &open).unwrap().unwrap();
    let own = Return { from_snapshot: true, ..own };
    let plan = run::plan(&host, &own, &STEPS).unwrap();
    let planned: Vec<String> =
        plan.iter().flat_map(|one| &one.changes).map(ToString::to_string).collect();
    drop(host);
    let (found, end, made) = back(&member.node, true, None);
    assert_eq!((found, end.unwrap()), (vec![], planned.len()));
    let order = [
        "systemctl stop kubelet",
        "install -- containerd.io-1.6.25-1.x86_64",
        "systemctl restart containerd",
        "etcd:3.5.9-0 kubeferry-restore-",
        "rm -rf /var/lib/etcd/member",
        "mv /var/lib/etcd/kubeferry-restore/member /var/lib/etcd/member",
        "systemctl start kubelet",
    ];
    let place = |words: &&str| made.iter().position(|one| one.contains(words)).expect(words);
    let places: Vec<usize> = order.iter().map(place).collect();
    assert!(places.is_sorted(), "{made:#?}");
    assert_back(&member, "");
    assert_eq!(back(&member.node, false, None).1.unwrap(), 0);
}

#[test]
fn whatever_fails_the_data_are_whole_at_the_end() {
    let whole = broken();
    let made = back(&whole.node, true, None).2;
    for (nth, command) in made.iter().enumerate() {
        for fault in [Fault::Refused(nth), Fault::Killed(nth)] {
            let member = broken();
            let run = AssertUnwindSafe(|| back(&member.node, true, Some(fault)).1);
            if let Ok(end) = catch_unwind(run) {
                assert!(end.is_err(), "{fault:?} of {command}");
            }
            let is_there = |path: &str| member.node.root().join("var/lib/etcd").join(path).exists();
            let is_whole = is_there("member/db") || is_there("kubeferry-restore/member/db");
            assert!(is_whole, "{fault:?} of {command}");
            // What was agreed to is noted.
            let (found, end, _) = back(&member.node, nth % 2 == 0, None);
            assert_eq!(found, [""; 0], "{fault:?} of {command}");
            end.unwrap_or_else(|error| panic!("{fault:?} of {command}: {error:#}"));
            assert_back(&member, &format!("{fault:?} of {command}"));
        }
    }
}

#[test]
fn an_older_etcd_that_began_anew_on_removed_data_does_not_count() {
    let member = broken();
    let made = back(&broken().node, true, None).2;
    let removes = made.iter().position(|one| one == "rm -rf /var/lib/etcd/member").unwrap();
    let run = AssertUnwindSafe(|| back(&member.node, true, Some(Fault::Killed(removes))).1);
    drop(catch_unwind(run));
    // The node boots, and kubelet starts the older etcd, which makes an empty cluster.
    member.write("var/lib/etcd/member/db", "of an empty cluster");
    member.write("run/systemd/active/kubelet", "");
    member.remove("run/etcd-ill");
    assert_eq!(upgrade::way(&member.node.look(None).0).unwrap(), Way::Snapshot);
    back(&member.node, false, None).1.unwrap();
    assert_back(&member, "after a boot");
}

#[test]
fn the_snapshot_is_refused_where_it_would_lose_more_than_it_saves() {
    let refused = |member: &Member, words: &str| {
        let (host, _) = member.node.look(None);
        let open = receipt::upgrade(host.lines()).cloned().unwrap();
        let own = Return::of(&host, member.node.role, &open).unwrap().unwrap();
        let found = upgrade::problems(&host, &Return { from_snapshot: true, ..own }).unwrap();
        assert!(found.iter().any(|one| one.to_string().contains(words)), "{found:?}");
    };
    let well = broken();
    well.remove("run/etcd-ill");
    refused(&well, "etcd's data need no snapshot");
    let gone = broken();
    fs::remove_file(gone.node.root().join("var/lib/kubeferry/upgrade/etcd.db")).unwrap();
    refused(&gone, "/var/lib/kubeferry/upgrade/etcd.db is gone");
    let worker = upgraded(member(Role::Worker));
    apply(&worker.node, None).end.unwrap();
    refused(&worker, "a worker has no etcd");
    let one_of_several = broken();
    let kept = one_of_several.read("opt/kubernetes/kubeadm.yaml");
    let kept = kept.replace("10.0.0.2:6443", "10.0.0.9:6443");
    one_of_several.write("opt/kubernetes/kubeadm.yaml", &kept);
    refused(&one_of_several, "the snapshot is of one master");
}
