//! A node goes to a new bundle, however often it is interrupted.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bundle_format::lock::{LockedImage, LockedPlatform, Why};
use bundle_format::oci::OCI_MANIFEST;
use bundle_format::{Digest, layout};
use installer::doctor::diagnose;
use installer::engine::{reset, run};
use installer::install::Change;
use installer::intent::{Intent, Upgrading};
use installer::node::kubeadm;
use installer::preflight;
use installer::receipt::{self, Deed, Line, Stage, StepName};
use installer::role::Role;
use installer::status::Status;
use installer::steps::order;
use installer::upgrade::back::STEPS;
use installer::upgrade::{self, Return, Way};

use crate::node::intent::{Rpm, add_packages, bundle_changed, image, target};
use crate::node::kinds::BARE;
use crate::node::member::Member;
use crate::node::upgrading::write_manifest;
use crate::node::{Applied, Fault, Node, Tree, difference};

const OLD: [&str; 4] = [
    "kubeadm-1.28.2-1.x86_64",
    "kubelet-1.28.2-1.x86_64",
    "containerd.io-1.6.25-1.x86_64",
    "socat-1.7.4-1.x86_64",
];
const NEW: [&str; 4] = [
    "kubeadm-1.29.1-1.x86_64",
    "kubelet-1.29.1-1.x86_64",
    "containerd.io-1.7.2-1.x86_64",
    "socat-1.7.4-1.x86_64",
];

/// Gives an intention a bundle of this version with these packages and one manifest.
fn with(
    intent: &mut Intent,
    kubernetes: &str,
    containerd: &str,
    packages: &'static [&'static str],
) {
    let network: (&str, &str) =
        ("network", if kubernetes == "1.28.2" { "a: 1\n" } else { "a: 2\n" });
    let manifests = [network];
    intent.bundle = bundle_changed(&manifests, |lock| {
        lock.kubernetes = kubernetes.parse().unwrap();
        lock.containerd = Some(containerd.to_owned());
        lock.targets = vec![target(bundle_format::Architecture::X86_64)];
        lock.images = vec![pause()];
        lock.sandbox_image = "registry.k8s.io/pause:3.9".parse().ok();
        let rpm = |nevra: &&'static str| Rpm { nevra, is_requested: true, needed: &[] };
        add_packages(lock, &packages.iter().map(rpm).collect::<Vec<_>>());
    });
    intent.target = intent.bundle.lock().targets[0].clone();
}

/// An image for the only target.
fn pause() -> LockedImage {
    let mut pause = image("registry.k8s.io/pause:3.9");
    pause.why = vec![Why::Kubeadm { component: "pause".to_owned() }];
    pause.root.media_type = OCI_MANIFEST.to_owned();
    let (manifest, config) = (pause.root.clone(), pause.root.clone());
    let architecture = bundle_format::Architecture::X86_64;
    pause.platforms = vec![LockedPlatform { architecture, manifest, config, layers: Vec::new() }];
    pause
}

fn old(intent: &mut Intent) {
    with(intent, "1.28.2", "1.6.25", &OLD);
}

fn new(intent: &mut Intent) {
    with(intent, "1.29.1", "1.7.2", &NEW);
    let from = "1.28.2".parse().unwrap();
    intent.upgrade = Some(Upgrading { from, drains: true });
}

/// A member of a cluster of the old bundle.
fn member(role: Role) -> Member {
    let mut node = Node::new(role, &BARE);
    node.change = old;
    let dnf = node.root().join("usr/bin/dnf");
    fs::create_dir_all(dnf.parent().unwrap()).unwrap();
    fs::write(dnf, "").unwrap();
    node.apply(None).end.unwrap();
    let intent = node.intent();
    let containerd = fs::read_to_string(node.root().join("etc/containerd/config.toml")).unwrap();
    let member = Member::of(node);
    member.write("etc/containerd/config.toml", &containerd);
    let names = layout::names(&pause()).into_iter().map(|name| format!("{name}\n"));
    member.write("run/images", &names.collect::<String>());
    let step = if role == Role::Master { StepName::ControlPlane } else { StepName::Join };
    let mut host = member.node.look(None).0.open().unwrap();
    let path = "/etc/kubernetes".into();
    let deed = Deed::Claimed { path, before: None };
    host.begin(Line::Begun { role: role.to_string(), bundle: Digest::of(b"old") }).unwrap();
    host.begin(Line::Deed { step, deed }).unwrap();
    host.finish(step).unwrap();
    drop(host);
    let (path, text) = match &intent.join {
        None => ("opt/kubernetes/kubeadm.yaml", kubeadm::init_configuration(&intent.settings())),
        Some(join) => (
            "opt/kubernetes/kubeadm-joined.yaml",
            kubeadm::joined_configuration(&intent.settings(), join),
        ),
    };
    member.write(path, &text.unwrap());
    let private = fs::Permissions::from_mode(0o600);
    fs::set_permissions(member.node.root().join(path), private).unwrap();
    let join = crate::node::join::join_file(intent.cluster.clone()).text().unwrap();
    if role == Role::Master {
        member.write("opt/kubernetes/join.yaml", &join);
        for pod in ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] {
            write_manifest(member.node.root(), pod, "v1.28.2");
        }
    }
    if role == Role::Master {
        member.write("opt/kubernetes/manifests/network.yaml", "a: 1\n");
        member.write("run/applied/network.yaml", "by kubectl\na: 1\n");
        member.write("run/objects", "as kubeadm made it");
        member.write("run/etcd-storage", "3.5.0");
    }
    let images = member.read("run/images");
    member.write("run/images", &format!("{images}registry.k8s.io/etcd:3.5.9-0\n"));
    member.write("run/kubeadm-images", "registry.k8s.io/pause:3.9\n");
    member.write("run/api-version", if role == Role::Master { "v1.28.2" } else { "v1.29.1" });
    member.write("run/nodes", "node-1\nnode-2\n");
    member.write("run/pods", "default/web-1\ndefault/web-2\nkube-system/coredns-1\n");
    // The new containerd's configuration is as the old one's.
    member
}

fn upgraded(mut member: Member) -> Member {
    member.node.change = new;
    member
}

fn apply(node: &Node, fault: Option<Fault>) -> Applied {
    let (host, commands) = node.look(fault);
    let mut changes = Vec::new();
    let steps = order::upgrade(node.role);
    let end =
        run::apply(&mut host.open().unwrap(), &node.intent(), &steps, &mut |_, name, made| {
            changes.push((name, made.to_vec()));
        });
    Applied { changes, commands, end }
}

/// The tree without what is each time another: programs' caches, and containers' numbers.
fn tree(node: &Node) -> Tree {
    let mut tree = node.tree();
    tree.retain(|path, _| !["run/started", "run/asked", "run/tasks"].contains(&path.as_str()));
    tree
}

fn problems(node: &Node) -> Vec<String> {
    let found = preflight::problems(&node.look(None).0, &node.intent());
    assert!(found.iter().all(|one| one.cure().len() > 10));
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn the_plan_is_the_deed_and_a_second_run_has_nothing_to_do() {
    for role in [Role::Master, Role::Worker] {
        let member = upgraded(member(role));
        let node = &member.node;
        let (host, commands) = node.look(None);
        let plan = run::plan(&host, &node.intent(), &order::upgrade(role)).unwrap();
        assert_eq!(commands.made(), [""; 0], "a plan only looks");
        let applied = apply(node, None);
        applied.end.unwrap();
        for (planned, (step, made)) in plan.iter().zip(&applied.changes) {
            // What kubeadm writes over is known only then.
            if *step != StepName::KubeletSettings && *step != StepName::Hosts {
                let shown = |all: &[Change]| -> Vec<String> {
                    all.iter().map(ToString::to_string).collect()
                };
                assert_eq!(shown(&planned.changes), shown(made), "{step}");
            }
        }
        let made = applied.commands.made();
        let place = |words: &str| {
            made.iter()
                .position(|one| one.contains(words))
                .unwrap_or_else(|| panic!("{words}: {made:#?}"))
        };
        let of_cluster =
            if role == Role::Master { "upgrade apply v1.29.1" } else { "upgrade node" };
        let order = [
            "cp --archive",
            "install -- kubeadm-1.29.1-1.x86_64",
            of_cluster,
            "cordon node-1",
            "pods/web-1/eviction",
            "pods/coredns-1/eviction",
            // A replica comes after the other has ended.
            "pods/web-2/eviction",
            "install -- kubelet-1.29.1-1.x86_64 containerd.io-1.7.2-1.x86_64",
            "systemctl restart containerd",
            "systemctl restart kubelet",
            "uncordon node-1",
        ];
        let places: Vec<usize> = order.iter().map(|words| place(words)).collect();
        assert!(places.is_sorted(), "{made:#?}");
        assert!(!node.root().join("run/cordoned").exists());
        if role == Role::Master {
            assert!(member.read("opt/kubernetes/kubeadm.yaml").contains("v1.29.1"));
            let copy = "var/lib/kubeferry/upgrade";
            assert_eq!(member.read(&format!("{copy}/etcd.db")), "a snapshot");
            assert!(!member.read(&format!("{copy}/objects.json")).contains("resourceVersion"));
            let kept = member.read(&format!("{copy}/copy/opt/kubernetes/kubeadm.yaml"));
            assert!(kept.contains("v1.28.2"));
            assert_eq!(member.read("run/applied/network.yaml"), "by kubectl\na: 2\n");
        }

        let plan = run::plan(&node.look(None).0, &node.intent(), &order::upgrade(role)).unwrap();
        for planned in plan {
            assert_eq!(planned.changes, [], "{}", planned.step.name());
        }
        assert_eq!(apply(node, None).end.unwrap(), 0);
    }
}

#[test]
fn whatever_fails_the_same_line_goes_on() {
    for role in [Role::Master, Role::Worker] {
        let whole = upgraded(member(role));
        let made = apply(&whole.node, None).commands.made();
        let whole = tree(&whole.node);
        for (nth, command) in made.iter().enumerate() {
            let mut faults = vec![Fault::Refused(nth), Fault::Killed(nth)];
            faults.extend(command.starts_with("kubeadm ").then_some(Fault::Half(nth)));
            for fault in faults {
                let member = upgraded(member(role));
                let run = AssertUnwindSafe(|| apply(&member.node, Some(fault)).end);
                if let Ok(end) = catch_unwind(run) {
                    // An eviction is tried again.
                    let is_again = command.contains("eviction");
                    assert!(end.is_err() || is_again, "{fault:?} of {command}");
                }
                assert_eq!(problems(&member.node), [""; 0], "{fault:?} of {command}");
                let again = apply(&member.node, None);
                again.end.unwrap_or_else(|error| panic!("{fault:?} of {command}: {error:#}"));
                let left = difference(
                    &without_authority(tree(&member.node)),
                    &without_authority(whole.clone()),
                );
                assert_eq!(left, BTreeSet::new(), "{fault:?} of {command}");
            }
        }
    }
}

#[test]
fn whatever_file_is_cut_short_the_same_line_goes_on() {
    for role in [Role::Master, Role::Worker] {
        let whole = upgraded(member(role));
        let applied = apply(&whole.node, None);
        let whole = without_authority(tree(&whole.node));
        for change in applied.changes.iter().flat_map(|(_, changes)| changes) {
            let Change::Write { path, .. } = change else { continue };
            let member = upgraded(member(role));
            // A folder that has the name of the file that is written first.
            let half = member.node.root().join(format!(".{}.kubeferry-new", path.display()));
            fs::create_dir_all(&half).unwrap();
            apply(&member.node, None).end.unwrap_err();
            fs::remove_dir(&half).unwrap();
            fs::write(&half, "hal").unwrap();
            assert_eq!(problems(&member.node), [""; 0], "half of {}", path.display());
            apply(&member.node, None).end.unwrap();
            let left = difference(&without_authority(tree(&member.node)), &whole);
            assert_eq!(left, BTreeSet::new(), "half of {}", path.display());
        }
    }
}

/// Each member has an authority and a port of its own.
fn without_authority(mut tree: Tree) -> Tree {
    tree.retain(|path, _| {
        !path.starts_with("etc/kubernetes/pki")
            && !path.ends_with(".conf")
            && !path.ends_with(".pem")
            && path != "root/.kube/config"
            && path != "opt/kubernetes/join.yaml"
    });
    tree
}

#[test]
fn what_cannot_be_is_told_at_once_and_nothing_is_changed() {
    let member = upgraded(member(Role::Master));
    assert_eq!(problems(&member.node), [""; 0]);
    member.write("run/away", "node-2");
    member.write("run/etcd-alarm", "memberID:1 alarm:NOSPACE\n");
    member.write("run/pods", "default/bare\n");
    member.write(
        "run/metrics",
        "apiserver_requested_deprecated_apis{group=\"flow\",removed_release=\"1.29\",\
         resource=\"schemas\",version=\"v1\"} 1\n",
    );
    let pem = member.authority.issue_for("apiserver", 0);
    member.write("etc/kubernetes/pki/apiserver.crt", &pem);
    member.write("run/images", "registry.k8s.io/pause:3.8\n");
    let told = problems(&member.node);
    for words in [
        "certificates have expired, or will today: /etc/kubernetes/pki/apiserver.crt",
        "the node node-2 is not Ready: it says nothing",
        "node-2 has not got 1 of the 1 new images",
        "etcd has an alarm: memberID:1 alarm:NOSPACE",
        "somebody uses schemas of flow/v1, which Kubernetes 1.29 no longer has",
        "nothing would make default/bare again on another node",
    ] {
        assert!(told.iter().any(|one| one.contains(words)), "{words}: {told:#?}");
    }
    assert_eq!(told.len(), 6, "{told:#?}");
}

#[test]
fn a_package_that_the_way_back_would_need_is_told_before() {
    let member = upgraded(member(Role::Worker));
    let warnings = || -> Vec<String> {
        let found = preflight::warnings(&member.node.look(None).0, &member.node.intent());
        let texts = found.iter().map(ToString::to_string);
        texts.filter(|text| text.contains("taken back")).collect()
    };
    assert_eq!(warnings(), [""; 0]);
    member.remove("var/lib/kubeferry/packages/kubelet-1.28.2-1.x86_64.rpm");
    assert_eq!(
        warnings(),
        [
            "/var/lib/kubeferry/packages has no kubelet-1.28.2-1.x86_64.rpm: this upgrade could not be \
          taken back"
        ]
    );
}

#[test]
fn no_minor_release_is_skipped_and_nothing_goes_back() {
    let skips: fn(&mut Intent) = |intent| {
        with(intent, "1.30.0", "1.7.2", &NEW);
        let from = "1.28.2".parse().unwrap();
        intent.upgrade = Some(Upgrading { from, drains: false });
    };
    let returns: fn(&mut Intent) = |intent| {
        with(intent, "1.28.1", "1.7.2", &NEW);
        let from = "1.28.2".parse().unwrap();
        intent.upgrade = Some(Upgrading { from, drains: false });
    };
    for (change, words) in
        [(skips, "that is more than one minor release"), (returns, "which is older")]
    {
        let mut member = member(Role::Master);
        member.node.change = change;
        let told = problems(&member.node);
        assert!(told.iter().any(|one| one.contains(words)), "{told:#?}");
    }
    // A kubelet is never newer than the API server.
    let worker = upgraded(member(Role::Worker));
    assert_eq!(problems(&worker.node), [""; 0]);
    worker.write("run/api-version", "v1.28.2");
    let told = problems(&worker.node);
    assert!(told[0].contains("the API server has Kubernetes 1.28.2"), "{told:#?}");
}

#[test]
fn an_upgrade_in_the_middle_goes_on_with_its_own_bundle_only() {
    let mut member = upgraded(member(Role::Master));
    apply(&member.node, Some(Fault::Late(3))).end.unwrap_err();
    let open = receipt::upgrade(member.node.look(None).0.lines()).cloned().unwrap();
    assert_eq!(open.stage, Stage::Begun);
    assert_eq!(problems(&member.node), [""; 0]);
    member.node.change = |intent| {
        new(intent);
        with(intent, "1.29.2", "1.7.2", &NEW);
    };
    let told = problems(&member.node);
    assert!(
        told[0].contains("is being upgraded from Kubernetes 1.28.2 to 1.29.1, with another"),
        "{told:#?}"
    );
    // An install does not meddle.
    member.node.change = old;
    let told = problems(&member.node);
    assert_eq!(told[0], "this node is being upgraded from Kubernetes 1.28.2 to 1.29.1");
    // A made one can be taken back, until it is finished.
    member.node.change = new;
    apply(&member.node, None).end.unwrap();
    let mut host = member.node.look(None).0.open().unwrap();
    host.begin(Line::Upgrade(open.at(Stage::Made))).unwrap();
    drop(host);
    assert_eq!(problems(&member.node), [""; 0]);
    member.node.change = |intent| with(intent, "1.29.1", "1.7.2", &NEW);
    let told = problems(&member.node);
    assert_eq!(told, [""; 0], "an install of the new bundle");
}

#[test]
fn a_node_that_was_cordoned_before_stays_so_and_one_alone_is_not_drained() {
    let member = upgraded(member(Role::Master));
    member.write("run/cordoned", "");
    let made = apply(&member.node, None).commands.made();
    assert!(made.iter().all(|one| !one.contains("cordon node-1")), "{made:#?}");
    assert!(member.node.root().join("run/cordoned").exists());

    let alone = upgraded(self::member(Role::Master));
    alone.write("run/nodes", "node-1\n");
    let made = apply(&alone.node, None).commands.made();
    assert!(made.iter().all(|one| !one.contains("cordon") && !one.contains("evict")), "{made:#?}");
}

/// Takes a node back.
fn back(node: &Node, fault: Option<Fault>) -> (anyhow::Result<usize>, Vec<String>) {
    let (host, commands) = node.look(fault);
    let open = receipt::upgrade(host.lines()).cloned().unwrap();
    let own = Return::of(&host, node.role, &open).unwrap().unwrap();
    let found = upgrade::problems(&host, &own).unwrap();
    let end = run::apply(&mut host.open().unwrap(), &own, &STEPS, &mut |_, _, _| ());
    assert!(found.is_empty(), "{found:?}");
    (end, commands.made())
}

/// What is the same when a node is back. A worker keeps more than before.
fn returned(node: &Node) -> Tree {
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
        upgrade::forget(&mut host).unwrap();
        let open = receipt::upgrade(host.lines()).unwrap().at(Stage::Returned);
        host.begin(Line::Upgrade(open)).unwrap();
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
fn without_a_running_etcd_its_data_come_from_the_snapshot() {
    let member = upgraded(member(Role::Master));
    apply(&member.node, None).end.unwrap();
    member.write("run/etcd-ill", "");
    assert_eq!(upgrade::way(&member.node.look(None).0).unwrap(), Way::Snapshot);
    let (end, made) = back(&member.node, None);
    end.unwrap();
    assert!(
        made.iter().any(|one| one.contains("etcd:3.5.9-0") && one.contains("snapshot restore"))
    );
    assert_eq!(member.read("var/lib/etcd/member/data"), "of the snapshot");
    assert_eq!(back(&member.node, None).0.unwrap(), 0);
}

#[test]
fn doctor_and_status_know_an_upgrade_in_the_middle_and_a_node_left_cordoned() {
    let member = upgraded(member(Role::Worker));
    let causes = || -> Vec<String> {
        let found = diagnose(&member.node.look(None).0).findings;
        found.into_iter().map(|one| format!("{}: {}", one.cause, one.cure)).collect()
    };
    let nth = {
        let whole = upgraded(self::member(Role::Worker));
        let made = apply(&whole.node, None).commands.made();
        made.iter().position(|one| one.ends_with(" cordon node-1")).unwrap()
    };
    let run = AssertUnwindSafe(|| apply(&member.node, Some(Fault::Killed(nth))).end);
    drop(catch_unwind(run));
    let found = causes();
    let words = "the upgrade of this node from Kubernetes 1.28.2 to 1.29.1 has not ended: go on";
    assert!(found[0].starts_with(words), "{found:#?}");
    let status = Status::gather(&member.node.look(None).0);
    assert_eq!(status.upgrade.unwrap().stage, Stage::Begun);
    let mut host = member.node.look(None).0.open().unwrap();
    let open = receipt::upgrade(host.lines()).unwrap().at(Stage::Finished);
    host.begin(Line::Upgrade(open)).unwrap();
    drop(host);
    let cause = "no new pods come to this node: an upgrade has cordoned it: kubectl --kubeconfig \
                 /etc/kubernetes/kubelet.conf uncordon node-1";
    assert!(causes().iter().any(|one| one == cause), "{:#?}", causes());
    member.type_in("kubectl --kubeconfig /etc/kubernetes/kubelet.conf uncordon node-1");
    assert!(causes().iter().all(|one| one != cause));
}

#[test]
fn doctor_knows_a_kubelet_that_does_not_fit_its_api_server() {
    // The double's kubelet is 1.28.2.
    for (api, words) in [
        ("v1.27.9", "kubelet 1.28.2 is newer than the API server, 1.27.9"),
        ("v1.28.0", ""),
        ("v1.31.4", ""),
        ("v1.32.0", "kubelet 1.28.2 is too old for the API server, 1.32.0"),
    ] {
        let member = Member::new(Role::Worker);
        member.write("run/api-version", api);
        let found = member.diagnose().findings;
        let causes: Vec<&str> = found.iter().map(|one| one.cause.as_str()).collect();
        let expected: Vec<&str> = Some(words).into_iter().filter(|one| !one.is_empty()).collect();
        assert_eq!(causes, expected, "{api}");
    }
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

#[test]
fn old_images_go_when_an_upgrade_is_finished() {
    let member = upgraded(member(Role::Master));
    let images = member.read("run/images");
    member.write("run/images", &format!("{images}registry.k8s.io/pause:3.8\n"));
    apply(&member.node, None).end.unwrap();
    let old = member.read("var/lib/kubeferry/upgrade/old-images");
    assert_eq!(old, "registry.k8s.io/pause:3.8\n", "the bundle has no other etcd");
    let image = |id: &str, tags: &[&str]| serde_json::json!({"id": id, "repoTags": tags});
    let all = [
        image("sha256:old", &["registry.k8s.io/pause:3.8"]),
        image("sha256:new", &["registry.k8s.io/pause:3.9"]),
        image("sha256:both", &["registry.k8s.io/pause:3.8", "registry.k8s.io/pause:3.9"]),
    ];
    member.write("run/crictl-images", &serde_json::json!({ "images": all }).to_string());
    let (host, commands) = member.node.look(None);
    let mut host = host.open().unwrap();
    assert_eq!(upgrade::release(&mut host).unwrap(), 1);
    upgrade::forget(&mut host).unwrap();
    assert!(commands.made()[0].ends_with("rmi sha256:old"), "{:?}", commands.made());
    assert!(!member.node.root().join("var/lib/kubeferry/upgrade").exists());
}

#[test]
fn a_reset_takes_the_node_back_to_bare() {
    let bare = Node::new(Role::Worker, &BARE);
    let dnf = bare.root().join("usr/bin/dnf");
    fs::create_dir_all(dnf.parent().unwrap()).unwrap();
    fs::write(dnf, "").unwrap();
    let member = upgraded(member(Role::Worker));
    apply(&member.node, None).end.unwrap();
    let mut host = member.node.look(None).0.open().unwrap();
    assert_eq!(reset::reset(&mut host, &mut |_| ()), [""; 0]);
    reset::forget(&host).unwrap();
    assert_eq!(member.read("run/packages"), "", "all packages were ours");
    for path in ["var/lib/kubeferry", "opt/kubernetes/kubeadm-joined.yaml"] {
        assert!(!member.node.root().join(path).exists(), "{path}");
    }
}
