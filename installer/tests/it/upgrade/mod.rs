//! A node goes to a new bundle, however often it is interrupted.

mod back;
mod ends;
mod foreseen;
mod from_snapshot;
mod hops;
mod masters;
mod masters_back;
mod refused;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bundle_format::lock::{LockedImage, LockedPlatform, Why};
use bundle_format::oci::OCI_MANIFEST;
use bundle_format::{Digest, layout};
use installer::engine::run;
use installer::install::Change;
use installer::intent::{Intent, Upgrading};
use installer::node::kubeadm;
use installer::preflight;
use installer::receipt::{Deed, Line, StepName};
use installer::role::Role;
use installer::steps::order;

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
    pause.root.media_type = OCI_MANIFEST.into();
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
    host.begin(Line::Begun {
        role: role.to_string(),
        bundle: Digest::of(b"old"),
        signed: None,
        at: None,
    })
    .unwrap();
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
        member.write("run/etcd", "1 node-1 10.0.0.2\n");
    }
    let images = member.read("run/images");
    let pods = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"];
    let pods = pods.map(|pod| format!("registry.k8s.io/{pod}:v1.28.2\n")).concat();
    member.write("run/images", &format!("{images}{pods}registry.k8s.io/etcd:3.5.9-0\n"));
    member.write("run/kubeadm-images", "registry.k8s.io/pause:3.9\n");
    member.write("run/api-version", if role == Role::Master { "v1.28.2" } else { "v1.29.1" });
    member.write("run/nodes", "node-1\nnode-2\n");
    member.write("run/metrics", "apiserver_request_total 7\n");
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
fn a_pod_that_a_power_loss_emptied_is_written_again() {
    let member = upgraded(member(Role::Master));
    let made = apply(&upgraded(super::upgrade::member(Role::Master)).node, None).commands.made();
    let nth = made.iter().position(|one| one.starts_with("kubeadm upgrade apply")).unwrap();
    let run = AssertUnwindSafe(|| apply(&member.node, Some(Fault::Killed(nth))).end);
    drop(catch_unwind(run));
    let copy = "etc/kubernetes/tmp/kubeadm-backup-etcd-2026-11-27-18-00-00";
    member.write(&format!("{copy}/etcd/member/snap/db"), "");
    for text in ["", "spec: {", "{}"] {
        member.write("etc/kubernetes/manifests/kube-scheduler.yaml", text);
        member.write("etc/kubernetes/manifests/etcd.yaml", text);
        let (host, _) = member.node.look(None);
        let steps = order::upgrade(Role::Master);
        let plan = run::plan(&host, &member.node.intent(), &steps).unwrap();
        let all: Vec<String> =
            plan.iter().flat_map(|one| &one.changes).map(ToString::to_string).collect();
        for pod in ["etcd", "kube-scheduler"] {
            let words =
                format!("write /etc/kubernetes/manifests/{pod}.yaml: kubeadm was cut short");
            assert!(all.contains(&words), "{text}: {all:#?}");
        }
    }
    apply(&member.node, None).end.unwrap();
    assert!(!member.node.root().join(copy).exists(), "kubeadm makes another");
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
