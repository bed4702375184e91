//! The way back, from wherever an upgrade came.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use installer::engine::run;
use installer::intent::Upgrading;
use installer::receipt::{self, Stage};
use installer::role::Role;
use installer::upgrade::back::STEPS;
use installer::upgrade::{self, Return, Way};

use super::{NEW, OLD, apply, member, problems, tree, upgraded, with, without_authority};

use crate::node::member::Member;
use crate::node::{Fault, Node, Tree, difference};

/// Takes a node back.
pub(super) fn back(node: &Node, fault: Option<Fault>) -> (anyhow::Result<usize>, Vec<String>) {
    let (host, commands) = node.look(fault);
    let open = receipt::upgrade(host.lines()).cloned().unwrap();
    let own = Return::of(&host, node.role, &open).unwrap().unwrap();
    let found = upgrade::problems(&host, &own).unwrap();
    let end = run::apply(&mut host.open().unwrap(), &own, &STEPS, &mut |_, _, _| ());
    assert!(found.is_empty(), "{found:?}");
    (end, commands.made())
}

/// What is the same when a node is back. A worker keeps more than before.
pub(super) fn returned(node: &Node) -> Tree {
    let mut tree = without_authority(tree(node));
    tree.retain(|path, _| {
        let is_more = ["opt/kubernetes/joined.yaml", "run/systemd/active/kubelet"];
        !is_more.contains(&path.as_str()) && !path.starts_with("var/lib/etcd")
    });
    if let Some((_, Some(packages))) = tree.get_mut("run/packages") {
        let mut lines: Vec<&str> = packages.lines().collect();
        lines.sort_unstable();
        *packages = lines.join("\n");
    }
    tree
}

#[test]
fn an_upgrade_is_taken_back_and_nothing_is_lost() {
    for role in [Role::Master, Role::Worker] {
        let member = upgraded(member(role));
        member.write("run/nodes", "node-1\n");
        let before = returned(&member.node);
        apply(&member.node, None).end.unwrap();
        assert_ne!(returned(&member.node), before);
        let (end, made) = back(&member.node, None);
        end.unwrap();
        let mut left = difference(&returned(&member.node), &before);
        // Pods that moved stay where they are.
        left.remove("run/pods");
        assert_eq!(left, BTreeSet::new());
        let older = "install -- containerd.io-1.6.25-1.x86_64 kubeadm-1.28.2-1.x86_64 \
                     kubelet-1.28.2-1.x86_64";
        assert!(made.iter().any(|one| one.ends_with(older)), "{made:#?}");
        let lowers = made.iter().position(|one| one.ends_with("downgrade enable 3.5"));
        let stops = made.iter().position(|one| one == "systemctl stop kubelet");
        assert_eq!(lowers.is_some(), role == Role::Master);
        assert!(lowers < stops, "{made:#?}");
        assert!(made.iter().all(|one| !one.contains("snapshot restore")), "{made:#?}");
        assert_eq!(back(&member.node, None).0.unwrap(), 0);
        // And forth again.
        let mut host = member.node.look(None).0.open().unwrap();
        upgrade::forget(&mut host, Stage::Returned).unwrap();
        drop(host);
        apply(&member.node, None).end.unwrap();
    }
}

#[test]
fn from_wherever_an_upgrade_came_the_way_back_ends_and_can_be_interrupted() {
    for role in [Role::Master, Role::Worker] {
        let whole = upgraded(member(role));
        let before = returned(&whole.node);
        let made = apply(&whole.node, None).commands.made();
        for (nth, command) in made.iter().enumerate().skip(5) {
            let mut faults = vec![Fault::Killed(nth)];
            faults.extend(command.starts_with("kubeadm ").then_some(Fault::Half(nth)));
            for fault in faults {
                let member = upgraded(member(role));
                let run = AssertUnwindSafe(|| apply(&member.node, Some(fault)).end);
                drop(catch_unwind(run));
                back(&member.node, None).0.unwrap();
                let mut left = difference(&returned(&member.node), &before);
                // Pods that moved stay where they are.
                left.remove("run/pods");
                assert_eq!(left, BTreeSet::new(), "back from {fault:?} of {command}");
            }
        }
        let steps = back(&whole.node, None).1;
        for (nth, command) in steps.iter().enumerate() {
            for fault in [Fault::Refused(nth), Fault::Killed(nth)] {
                let member = upgraded(member(role));
                apply(&member.node, None).end.unwrap();
                let run = AssertUnwindSafe(|| back(&member.node, Some(fault)).0);
                if let Ok(end) = catch_unwind(run) {
                    assert!(end.is_err(), "{fault:?} of {command}");
                }
                back(&member.node, None).0.unwrap();
                let mut left = difference(&returned(&member.node), &before);
                left.remove("run/pods");
                assert_eq!(left, BTreeSet::new(), "{fault:?} of {command}");
            }
        }
    }
}

#[test]
fn what_was_kept_goes_as_a_whole() {
    let whole = upgraded(member(Role::Master));
    apply(&whole.node, None).end.unwrap();
    let end = |node: &Node, fault, stage| {
        let (host, commands) = node.look(fault);
        let mut host = host.open().unwrap();
        drop(catch_unwind(AssertUnwindSafe(|| upgrade::forget(&mut host, stage))));
        commands.made()
    };
    let kept = member_files(&whole);
    let made = end(&whole.node, None, Stage::Finished);
    for stage in [Stage::Returned, Stage::Finished] {
        for nth in 0..made.len() {
            for fault in [Fault::Killed(nth), Fault::Late(nth)] {
                let member = upgraded(member(Role::Master));
                apply(&member.node, None).end.unwrap();
                end(&member.node, Some(fault), stage);
                let left = member_files(&member);
                assert!(left.is_empty() || left == kept, "{fault:?}: {left:?}");
                let is_open = receipt::upgrade(member.node.look(None).0.lines()).is_some();
                assert!(is_open || left.is_empty(), "{fault:?}");
                end(&member.node, None, stage);
                assert!(receipt::upgrade(member.node.look(None).0.lines()).is_none());
                assert!(!member.node.root().join("var/lib/kubeferry/upgrade").exists());
            }
        }
    }
}

/// What an upgrade has kept.
fn member_files(member: &Member) -> BTreeSet<String> {
    let all = tree(&member.node).into_keys();
    all.filter(|path| path.starts_with("var/lib/kubeferry/upgrade/")).collect()
}

/// What is in the way back's way.
fn refused(node: &Node) -> Vec<String> {
    let (host, _) = node.look(None);
    let open = receipt::upgrade(host.lines()).cloned().unwrap();
    let own = Return::of(&host, node.role, &open).unwrap().unwrap();
    let found = upgrade::problems(&host, &own).unwrap();
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn without_a_running_etcd_nothing_is_changed() {
    let member = upgraded(member(Role::Master));
    apply(&member.node, None).end.unwrap();
    assert_eq!(refused(&member.node), [""; 0]);
    let etcd = member.read("etc/kubernetes/manifests/etcd.yaml");
    let is_unknown = |node: &Node| {
        assert_eq!(upgrade::way(&node.look(None).0).unwrap(), Way::Unknown);
        let told = refused(node);
        assert!(told[0].starts_with("etcd does not answer"), "{told:?}");
    };
    member.write("run/etcd-ill", "");
    is_unknown(&member.node);
    // A file that a power loss emptied says nothing of the release.
    member.write("etc/kubernetes/manifests/etcd.yaml", "");
    is_unknown(&member.node);
    // It ends between the question and the deed.
    let before = tree(&member.node);
    let (host, commands) = member.node.look(None);
    let open = receipt::upgrade(host.lines()).cloned().unwrap();
    let own = Return::of(&host, member.node.role, &open).unwrap().unwrap();
    run::apply(&mut host.open().unwrap(), &own, &STEPS, &mut |_, _, _| ()).unwrap_err();
    assert_eq!(commands.made(), [""; 0]);
    let changed = difference(&tree(&member.node), &before);
    assert!(changed.iter().all(|path| path.contains("kubeferry/receipt")), "{changed:?}");
    // When it answers again, nothing was lost.
    member.write("etc/kubernetes/manifests/etcd.yaml", &etcd);
    member.remove("run/etcd-ill");
    back(&member.node, None).0.unwrap();
}

#[test]
fn an_image_of_before_that_is_gone_is_told() {
    for role in [Role::Master, Role::Worker] {
        let member = upgraded(member(role));
        apply(&member.node, None).end.unwrap();
        let old = "registry.k8s.io/kube-proxy:v1.28.2\n";
        member.write("var/lib/kubeferry/upgrade/old-images", old);
        let all = format!("{}{old}", member.read("run/images"));
        member.write("run/images", &all);
        assert_eq!(refused(&member.node), [""; 0]);
        let mut lost = vec!["registry.k8s.io/pause:3.9", old.trim()];
        if role == Role::Master {
            lost.extend(["registry.k8s.io/etcd:3.5.9-0", "registry.k8s.io/kube-scheduler:v1.28.2"]);
        }
        for name in lost {
            member.write("run/images", &all.replace(&format!("{name}\n"), ""));
            assert_eq!(refused(&member.node), [format!("containerd no longer has {name}")]);
        }
    }
}

#[test]
fn what_rpm_would_refuse_is_told_before_anything_is_stopped() {
    let member = upgraded(member(Role::Worker));
    apply(&member.node, None).end.unwrap();
    assert_eq!(refused(&member.node), [""; 0]);
    member.write("run/rpm-refuses", "kubelet is needed by agent\n");
    let words = "rpm would not install the packages of before: kubelet is needed by agent";
    assert_eq!(refused(&member.node), [words]);
}

#[test]
fn a_package_that_somebody_else_has_brought_since_stays() {
    for (name, stays) in [("socat", true), ("kubelet", false)] {
        let mut member = member(Role::Worker);
        member.node.change = |intent| {
            const PACKAGES: [&str; 4] = [NEW[0], NEW[1], NEW[2], "socat-1.8.0-1.x86_64"];
            with(intent, "1.29.1", "1.7.2", &PACKAGES);
            let from = "1.28.2".parse().unwrap();
            intent.upgrade = Some(Upgrading { from, drains: true });
        };
        apply(&member.node, None).end.unwrap();
        let packages = member.read("run/packages");
        let (line, rest): (Vec<&str>, Vec<&str>) =
            packages.lines().partition(|line| line.starts_with(&format!("{name} ")));
        let version = if name == "socat" { "1.8.0-1" } else { "1.29.1-1" };
        let line = line[0].replace(version, "1.99.0-1");
        member.write("run/packages", &format!("{}\n{line}\n", rest.join("\n")));
        let made = back(&member.node, None).1;
        let is_back = made.iter().any(|one| one.contains(&format!(" {name}-1.")));
        assert_eq!(is_back, !stays, "{name}: {made:#?}");
    }
}

#[test]
fn a_kubelet_that_fails_again_and_again_is_stopped() {
    let member = upgraded(member(Role::Worker));
    apply(&member.node, None).end.unwrap();
    member.remove("run/systemd/active/kubelet");
    member.write("run/systemd/failed/kubelet", "");
    let (end, made) = back(&member.node, None);
    end.unwrap();
    assert!(made.iter().any(|one| one == "systemctl stop kubelet"), "{made:#?}");
}

#[test]
fn a_bundle_that_changes_only_containerd_leaves_kubeadm_and_kubelet_alone() {
    for role in [Role::Master, Role::Worker] {
        let mut member = member(role);
        member.node.change = |intent| {
            const PACKAGES: [&str; 4] = [OLD[0], OLD[1], NEW[2], OLD[3]];
            with(intent, "1.28.2", "1.7.2", &PACKAGES);
            let from = "1.28.2".parse().unwrap();
            intent.upgrade = Some(Upgrading { from, drains: false });
        };
        member.write("run/api-version", "v1.28.2");
        assert_eq!(problems(&member.node), [""; 0]);
        let made = apply(&member.node, None).commands.made();
        assert!(made.iter().any(|one| one == "systemctl restart containerd"), "{made:#?}");
        let others = ["kubeadm upgrade", "restart kubelet", "cordon"];
        assert!(
            made.iter().all(|one| others.iter().all(|other| !one.contains(other))),
            "{made:#?}"
        );
        back(&member.node, None).0.unwrap();
        assert!(member.read("run/packages").contains("containerd.io - 1.6.25-1"));
    }
}

/// dnf installs first and erases then. If the power goes in between, a package is there twice.
#[test]
fn what_a_transaction_that_was_cut_short_left_is_erased() {
    for role in [Role::Master, Role::Worker] {
        let member = upgraded(member(role));
        let made = apply(&member.node, None).commands.made();
        let twice = |member: &Member, line: &str| {
            member.write("run/packages", &format!("{}{line}\n", member.read("run/packages")));
        };
        let again = upgraded(super::member(role));
        let nth = made.iter().position(|one| one.contains(" kubelet-1.29.1-1.x86_64")).unwrap();
        let run = AssertUnwindSafe(|| apply(&again.node, Some(Fault::Killed(nth))).end);
        drop(catch_unwind(run));
        twice(&again, "kubelet - 1.28.2-1 x86_64");
        let made = apply(&again.node, None).commands.made();
        let erase = "rpm --erase -- kubelet-1.28.2-1.x86_64";
        assert!(made.iter().any(|one| one == erase), "{made:#?}");
        assert_eq!(again.read("run/packages").matches("kubelet ").count(), 1);

        let nth = back(&member.node, None).1;
        let nth = nth.iter().position(|one| one.contains(" kubelet-1.28.2-1.x86_64")).unwrap();
        let other = upgraded(super::member(role));
        apply(&other.node, None).end.unwrap();
        let run = AssertUnwindSafe(|| back(&other.node, Some(Fault::Killed(nth))).0);
        drop(catch_unwind(run));
        twice(&other, "kubelet - 1.29.1-1 x86_64");
        let (end, made) = back(&other.node, None);
        end.unwrap();
        let again = "rpm --upgrade --replacepkgs --oldpackage -- \
                     /var/lib/kubeferry/packages/kubelet-1.28.2-1.x86_64.rpm";
        assert!(made.iter().any(|one| one == again), "{made:#?}");
        assert_eq!(other.read("run/packages").matches("kubelet ").count(), 1);
    }
}

/// The upgrade's own transaction was cut short, and the way back follows.
#[test]
fn what_an_upgrade_that_was_cut_short_left_goes_back_with_its_files() {
    let of = || upgraded(member(Role::Worker));
    let made = apply(&of().node, None).commands.made();
    let nth = made.iter().position(|one| one.contains(" kubelet-1.29.1-1.x86_64")).unwrap();
    let member = of();
    let run = AssertUnwindSafe(|| apply(&member.node, Some(Fault::Killed(nth))).end);
    drop(catch_unwind(run));
    let twice = "kubelet - 1.28.2-1 x86_64\ncontainerd.io - 1.6.25-1 x86_64\n";
    member.write("run/packages", &(member.read("run/packages") + twice));
    let (end, made) = back(&member.node, None);
    end.unwrap();
    let place = |words: &str| made.iter().position(|one| one.contains(words)).expect(words);
    let order =
        ["rpm --upgrade --replacepkgs --oldpackage --", "restart containerd", "start kubelet"];
    assert!(order.map(place).is_sorted(), "{made:#?}");
    assert_eq!(member.read("run/packages").matches("kubelet ").count(), 1);
    assert!(member.read("run/packages").contains("kubelet - 1.28.2-1"));
}
