//! A bundle that has the releases on the way to its own.

use bundle_format::KubernetesVersion;
use bundle_format::archive::reader::Bundle;
use bundle_format::lock::{LockedHop, LockedImage, Why};
use installer::engine::run;
use installer::hop;
use installer::install::Steps;
use installer::intent::{Intent, Upgrading};
use installer::preflight;
use installer::receipt::{self, Line, Stage, StepName};
use installer::role::Role;
use installer::steps::{self, order};
use installer::upgrade;

use super::{NEW, member, pause, problems};
use crate::node::intent::{Rpm, add_packages, bundle_changed, target};
use crate::node::member::Member;
use crate::node::{Applied, Node};

const LAST: [&str; 4] = [
    "kubeadm-1.30.4-1.x86_64",
    "kubelet-1.30.4-1.x86_64",
    "containerd.io-1.7.2-1.x86_64",
    "socat-1.7.4-1.x86_64",
];

fn version(text: &str) -> KubernetesVersion {
    text.parse().unwrap()
}

/// kube-proxy, as kubeadm of a release needs it.
fn proxy(release: &str) -> LockedImage {
    let mut image = pause();
    image.name = format!("registry.k8s.io/kube-proxy:v{release}").parse().unwrap();
    image.source = image.name.clone();
    image.why = vec![Why::Kubeadm { component: "kube-proxy".to_owned() }];
    image
}

/// 1.30.4, with 1.29.1 on the way.
fn whole() -> Bundle {
    bundle_changed(&[("network", "a: 2\n")], |lock| {
        let rpm = |nevra: &&'static str| Rpm { nevra, is_requested: true, needed: &[] };
        lock.targets = vec![target(bundle_format::Architecture::X86_64)];
        lock.sandbox_image = "registry.k8s.io/pause:3.9".parse().ok();
        lock.containerd = Some("1.7.2".to_owned());
        let mut of_hop = lock.clone();
        add_packages(&mut of_hop, &NEW.iter().map(rpm).collect::<Vec<_>>());
        lock.kubernetes = version("1.30.4");
        lock.images = vec![proxy("1.30.4"), pause()];
        add_packages(lock, &LAST.iter().map(rpm).collect::<Vec<_>>());
        lock.hops = vec![LockedHop {
            kubernetes: version("1.29.1"),
            sandbox_image: lock.sandbox_image.clone(),
            targets: of_hop.targets,
            rpms: of_hop.rpms,
            images: vec![proxy("1.29.1"), pause()],
            files: of_hop.files,
        }];
    })
}

fn to(intent: &mut Intent, from: &str, to: &str) {
    intent.bundle = whole().at(&version(to)).unwrap();
    intent.target = intent.bundle.lock().targets[0].clone();
    intent.upgrade = Some(Upgrading { from: version(from), drains: true });
}

fn first(intent: &mut Intent) {
    to(intent, "1.28.2", "1.29.1");
}

fn last(intent: &mut Intent) {
    to(intent, "1.29.1", "1.30.4");
}

/// A member of a cluster of 1.28.2, to whose other node all images were brought.
fn ready(role: Role) -> Member {
    let mut member = member(role);
    member.node.change = first;
    let images = member.read("run/images");
    let names = ["1.29.1", "1.30.4"].map(proxy);
    let names = names.iter().flat_map(bundle_format::layout::names);
    let names: String = names.map(|name| format!("{name}\n")).collect();
    member.write("run/images", &format!("{images}{names}registry.k8s.io/kube-proxy:v1.28.2\n"));
    member
}

fn apply(node: &Node) -> Applied {
    let (host, commands) = node.look(None);
    let steps = order::upgrade_of(&node.intent());
    let end = run::apply(&mut host.open().unwrap(), &node.intent(), &steps, &mut |_, _, _| {});
    Applied { changes: Vec::new(), commands, end }
}

/// Notes that an upgrade has come so far, as `installer upgrade` does.
fn note(member: &Member, stage: Stage) {
    let mut host = member.node.look(None).0.open().unwrap();
    let open = receipt::upgrade(host.lines()).unwrap().at(stage);
    host.begin(Line::Upgrade(open)).unwrap();
}

fn next(member: &Member, now: &str) -> String {
    hop::next(&member.node.look(None).0, &whole(), &version(now)).unwrap().to_string()
}

#[test]
fn a_node_goes_to_the_next_minor_release_that_the_bundle_has() {
    let member = ready(Role::Master);
    for (now, release) in [
        ("1.27.0", "1.29.1"),
        ("1.28.2", "1.29.1"),
        ("1.29.0", "1.30.4"),
        ("1.29.9", "1.30.4"),
        ("1.30.0", "1.30.4"),
        ("1.30.4", "1.30.4"),
        ("1.31.0", "1.30.4"),
    ] {
        assert_eq!(next(&member, now), release, "{now}");
    }
    let bundle = |release| whole().at(&version(release)).unwrap();
    assert_eq!(hop::following(&bundle("1.29.1")).unwrap().as_str(), "1.30.4");
    assert_eq!(hop::following(&bundle("1.30.4")), None);
}

#[test]
fn a_node_goes_through_all_of_them_by_one_bundle() {
    for role in [Role::Master, Role::Worker] {
        let mut member = ready(role);
        assert_eq!(problems(&member.node), [""; 0]);
        assert_eq!(hop::ended(&member.node.look(None).0, &whole()).unwrap(), None);
        let made = apply(&member.node);
        made.end.unwrap();
        let made = made.commands.made();
        assert!(made.iter().any(|one| one.contains("install -- kubelet-1.29.1-1.x86_64")));
        assert!(made.iter().all(|one| !one.contains("1.30.4") && !one.contains("network.yaml")));
        // The same line again goes on until the end is noted, and then to the next.
        assert_eq!(next(&member, "1.29.1"), "1.29.1");
        note(&member, Stage::Made);
        assert_eq!(next(&member, "1.29.1"), "1.30.4");
        let kept = member.read("var/lib/kubeferry/upgrade/old-images");
        assert_eq!(kept, "registry.k8s.io/kube-proxy:v1.28.2\n", "later images stay");

        // The next release ends the first upgrade; until then its copy is there.
        member.node.change = last;
        if role == Role::Worker {
            member.write("run/api-version", "v1.30.4");
        }
        assert_eq!(problems(&member.node), [""; 0]);
        let (host, _) = member.node.look(None);
        let intent = member.node.intent();
        let ended = hop::ended(&host, &intent.bundle).unwrap().unwrap().to_string();
        assert_eq!(ended, "from Kubernetes 1.28.2 to 1.29.1");
        let plan = run::plan(&host, &intent, &order::upgrade_of(&intent)).unwrap();
        let copy: Vec<String> = plan[0].changes.iter().map(ToString::to_string).collect();
        assert_eq!(plan[0].step.name(), StepName::UpgradeCopy);
        assert!(copy.iter().any(|one| one.contains("cp --archive --parents")), "{copy:#?}");
        drop(host);
        let mut host = member.node.look(None).0.open().unwrap();
        upgrade::forget(&mut host, Stage::Finished).unwrap();
        drop(host);
        let made = apply(&member.node);
        made.end.unwrap();
        let made = made.commands.made();
        assert!(made.iter().any(|one| one.contains("install -- kubelet-1.30.4-1.x86_64")));
        assert_eq!(made.iter().any(|one| one.contains("network.yaml")), role == Role::Master);
        note(&member, Stage::Made);
        assert_eq!(next(&member, "1.30.4"), "1.30.4");
        let open = receipt::upgrade(member.node.look(None).0.lines()).unwrap().to_string();
        assert_eq!(open, "from Kubernetes 1.29.1 to 1.30.4");
    }
}

#[test]
fn an_upgrade_by_another_bundle_is_not_ended_unasked() {
    let mut member = ready(Role::Master);
    member.node.change = super::new;
    apply(&member.node).end.unwrap();
    note(&member, Stage::Made);
    member.node.change = last;
    let intent = member.node.intent();
    assert_eq!(hop::ended(&member.node.look(None).0, &intent.bundle).unwrap(), None);
    let told = problems(&member.node);
    assert!(
        told[0].contains("can still be taken back, and would not be after another"),
        "{told:#?}"
    );
}

#[test]
fn no_node_stays_more_than_one_release_behind() {
    let mut member = ready(Role::Master);
    apply(&member.node).end.unwrap();
    note(&member, Stage::Made);
    member.node.change = last;
    member.write("run/kubelets", "node-1 v1.29.1\nnode-2 v1.28.2\n");
    let words = "node-2 has Kubernetes 1.28.2, and its cluster 1.29.1: it must not stay behind when \
                 this master gets 1.30.4";
    assert_eq!(problems(&member.node), [words]);
    member.write("run/kubelets", "node-1 v1.29.1\nnode-2 v1.29.0\n");
    assert_eq!(problems(&member.node), [""; 0]);
}

#[test]
fn a_bundle_that_begins_too_late_says_how_to_make_one() {
    fn late(intent: &mut Intent) {
        to(intent, "1.28.2", "1.30.4");
    }
    let mut member = ready(Role::Master);
    member.node.change = late;
    let found = preflight::problems(&member.node.look(None).0, &member.node.intent());
    let found = found.iter().find(|one| one.to_string().contains("more than one minor")).unwrap();
    assert!(found.cure().contains("write `from: 1.28.2` under `kubernetes`"), "{}", found.cure());
}

#[test]
fn the_images_of_all_releases_come_at_once() {
    let member = ready(Role::Worker);
    member.write("run/images", "registry.k8s.io/pause:3.9\n");
    let planned = |release: &str| {
        let mut intent = member.node.intent();
        intent.bundle = whole().with_images_from(&version(release));
        let steps: Steps = vec![&steps::images::Images];
        let plan = run::plan(&member.node.look(None).0, &intent, &steps).unwrap();
        plan[0].changes.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(planned("1.29.1"), ["import 3 images"]);
    assert_eq!(planned("1.30.4"), ["import 2 images"]);
}

#[test]
fn a_further_master_follows_the_first_also_in_the_next_release() {
    let mut member = ready(Role::Master);
    apply(&member.node).end.unwrap();
    note(&member, Stage::Made);
    member.node.change = last;
    let planned = |settings: &str| -> bool {
        member.write("run/objects", settings);
        let intent = member.node.intent();
        let (host, _) = member.node.look(None);
        let plan = run::plan(&host, &intent, &order::upgrade_of(&intent)).unwrap();
        let all = plan.iter().flat_map(|one| &one.changes).map(ToString::to_string);
        all.filter(|one| one.contains("kubeadm upgrade apply v1.30.4")).count() == 1
    };
    // Its copy of the first upgrade is still there, and says nothing of this one.
    assert!(planned("kubernetesVersion: v1.29.1\n"));
    assert!(!planned("kubernetesVersion: v1.30.4\n"));
}
