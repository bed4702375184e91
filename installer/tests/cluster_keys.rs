//! Keys of the cluster file that only some clusters have.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it expects")]

mod node;

use std::fs;

use installer::preflight;
use installer::role::Role;
use installer::run;
use installer::step::{Intent, Step};
use node::intent::bundle_with;
use node::kinds;

fn mirrors(intent: &mut Intent) {
    intent.cluster.registry_mirrors = serde_saphyr::from_str(
        "docker.io: ['https://m:5000', 'http://n/v2/proxy']\nquay.io: ['https://m:5000']\n",
    )
    .unwrap();
}

#[test]
fn mirrors_come_and_go_and_those_of_others_stay() {
    let mut node = kinds::bare(Role::Worker);
    let folder = node.root().join("etc/containerd/certs.d");
    fs::create_dir_all(folder.join("ghcr.io")).unwrap();
    fs::write(folder.join("ghcr.io/hosts.toml"), "server = \"x\"\n").unwrap();
    let before = node.tree();
    node.change = mirrors;
    node.apply(None).end.unwrap();
    let text = fs::read_to_string(folder.join("docker.io/hosts.toml")).unwrap();
    assert_eq!(
        text,
        "# Written by kubeferry.\n\n[host.\"https://m:5000\"]\ncapabilities = [\"pull\", \"resolve\"]\n\
         \n[host.\"http://n/v2/proxy\"]\ncapabilities = [\"pull\", \"resolve\"]\noverride_path = true\n"
    );
    text.parse::<toml_edit::DocumentMut>().unwrap();
    assert!(node.plan().iter().all(|(_, changes)| changes.is_empty()));

    node.change = |intent| {
        mirrors(intent);
        intent.cluster.registry_mirrors.pop_first();
    };
    node.apply(None).end.unwrap();
    assert!(!folder.join("docker.io/hosts.toml").exists());
    assert!(
        folder.join("quay.io/hosts.toml").exists() && folder.join("ghcr.io/hosts.toml").exists()
    );
    node.assert_goes_back(&before, "mirrors that changed");
}

#[test]
fn calico_is_told_its_interface_once() {
    let node = kinds::bare(Role::Master);
    let mut intent = node.intent();
    intent.cluster.cni_interface = Some("eth.*".to_owned().try_into().unwrap());
    let mut steps: Vec<&'static dyn Step> = Role::Master.steps();
    steps.retain(|step| step.name() == "cni-interface");
    for made in [1, 0] {
        let (host, _) = node.look(None);
        let applied = run::apply(&mut host.open().unwrap(), &intent, &steps, &mut |_, _, _| ());
        assert_eq!(applied.unwrap(), made);
    }
    assert_eq!(fs::read_to_string(node.root().join("run/calico")).unwrap(), "interface=eth.*");

    for (manifest, refused) in [
        ("kind: DaemonSet\nmetadata:\n  name: calico-node\n", false),
        ("kind: DaemonSet\nmetadata:\n  name: flannel\n", true),
        ("metadata:\n  name: calico-node\nenv:\n- name: IP_AUTODETECTION_METHOD\n", true),
    ] {
        intent.bundle = bundle_with(&[("cni", manifest)]);
        let problems = preflight::problems(&node.look(None).0, &intent);
        let told = problems.iter().any(|problem| problem.to_string().contains("cniInterface"));
        assert_eq!(told, refused, "{manifest}");
    }
}
