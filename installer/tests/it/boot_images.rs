//! The images that kubeadm wants are those of the bundle, in containerd, before
//! `kubeadm init` waits for them.

use std::fs;

use installer::engine::run;
use installer::receipt::StepName;
use installer::role::Role;
use installer::steps::order;

use crate::node::intent::{image, write_bundle_of};
use crate::node::{Node, kinds};

const PAUSE: &str = "registry.k8s.io/pause:3.9";
const PROXY: &str = "registry.k8s.io/kube-proxy:v1.28.2";

/// What a master-to-be says whose bundle, containerd and kubeadm have these.
fn said(bundle: &[&str], present: &[&str], kubeadm: &[&str], sandbox: &str) -> (Node, String) {
    let node = kinds::bare(Role::Master);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small.tar");
    write_bundle_of(&path, &[], |lock| {
        lock.images = bundle.iter().map(|name| image(name)).collect();
        lock.sandbox_image = Some(PAUSE.parse().unwrap());
    });
    let mut intent = node.intent();
    intent.bundle = bundle_format::archive::reader::Bundle::open(&path).unwrap();
    let lines = |names: &[&str]| names.iter().map(|name| format!("{name}\n")).collect::<String>();
    let config = format!(
        "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\"]\nsandbox_image = \"{sandbox}\"\n"
    );
    fs::create_dir_all(node.root().join("etc/containerd")).unwrap();
    for (path, text) in [
        ("run/images", lines(present)),
        ("run/kubeadm-images", lines(kubeadm)),
        ("etc/containerd/config.toml", config),
        ("run/systemd/active/chronyd", String::new()),
    ] {
        fs::write(node.root().join(path), text).unwrap();
    }
    let mut steps = order::steps(Role::Master);
    steps.retain(|step| step.name() == StepName::ControlPlane);
    let (host, commands) = node.look(None);
    let end = run::apply(&mut host.open().unwrap(), &intent, &steps, &mut |_, _, _| ());
    let began = commands.made().iter().any(|line| line.starts_with("kubeadm init"));
    assert_eq!(began, end.is_ok(), "kubeadm begins only where nothing is wrong: {end:?}");
    let words = end.err().map(|error| format!("{error:#}")).unwrap_or_default();
    (node, words)
}

#[test]
fn kubeadm_begins_where_its_images_are_there() {
    let both = [PAUSE, PROXY];
    let (node, words) = said(&both, &both, &both, PAUSE);
    assert_eq!(words, "");
    assert!(node.root().join("opt/kubernetes/kubeadm.yaml").exists());
}

#[test]
fn a_mismatch_is_told_before_anything_is_done() {
    let both = [PAUSE, PROXY];
    let old = "k8s.gcr.io/pause:3.9";
    let cases = [
        (
            said(&both, &both, &[PAUSE, "registry.k8s.io/etcd:3.5.9-0", PROXY], PAUSE),
            "kubeadm will start registry.k8s.io/etcd:3.5.9-0, which the bundle does not have",
        ),
        (said(&both, &[PAUSE], &both, PAUSE), "which containerd does not have"),
        (said(&both, &[], &both, PAUSE), "containerd does not say which images it has"),
        (
            said(&[PAUSE, PROXY, old], &[PAUSE, PROXY, old], &both, old),
            "config.toml is k8s.gcr.io/pause:3.9, and kubeadm's is registry.k8s.io/pause:3.9",
        ),
        (said(&both, &both, &[], PAUSE), "kubeadm does not list its images"),
    ];
    for ((node, words), expected) in cases {
        assert!(words.contains(expected), "{expected}: {words}");
        assert!(!node.root().join("opt/kubernetes/kubeadm.yaml").exists());
    }
}
