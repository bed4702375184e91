//! Keys of the cluster file that only some clusters have.

use std::fs;

use bundle_format::lock::{Aspect, Expectation};
use installer::engine::{reset, run};
use installer::install::Steps;
use installer::intent::Intent;
use installer::preflight;
use installer::receipt::StepName;
use installer::role::Role;
use installer::steps::order;

use crate::node::intent::{bundle_changed, bundle_with, locked};
use crate::node::{self, kinds};

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
fn a_registry_with_a_port_gets_its_mirrors_where_containerd_looks_first() {
    let mut node = kinds::bare(Role::Worker);
    let folder = node.root().join("etc/containerd/certs.d");
    fs::create_dir_all(folder.join("q.io_5000_")).unwrap();
    let before = node.tree();
    node.change = |intent| {
        let mirrors = "q.io:5000: ['https://m']\nr.io:5000: ['https://m']\n";
        intent.cluster.registry_mirrors = serde_saphyr::from_str(mirrors).unwrap();
    };
    node.apply(None).end.unwrap();
    assert!(folder.join("q.io_5000_/hosts.toml").exists() && !folder.join("q.io:5000").exists());
    assert!(folder.join("r.io:5000/hosts.toml").exists());
    assert!(node.plan().iter().all(|(_, changes)| changes.is_empty()));
    node.assert_goes_back(&before, "mirrors of registries with ports");
}

#[test]
fn calico_is_told_its_interface_once() {
    let node = kinds::bare(Role::Master);
    let mut intent = node.intent();
    intent.cluster.cni_interface = Some("eth.*".to_owned().try_into().unwrap());
    let mut steps: Steps = order::steps(Role::Master);
    steps.retain(|step| step.name() == StepName::CniInterface);
    for made in [1, 0] {
        let (host, _) = node.look(None);
        let applied = run::apply(&mut host.open().unwrap(), &intent, &steps, &mut |_, _, _| ());
        assert_eq!(applied.unwrap(), made);
    }
    let variable = node.root().join("run/calico");
    assert_eq!(fs::read_to_string(&variable).unwrap(), "interface=eth.*");
    intent.cluster.cni_interface = None;
    for made in [1, 0] {
        let (host, _) = node.look(None);
        let applied = run::apply(&mut host.open().unwrap(), &intent, &steps, &mut |_, _, _| ());
        assert_eq!(applied.unwrap(), made);
    }
    assert!(!variable.exists());
    // Who does not answer has not said that nothing is left of it.
    let (host, _) = node.look(Some(node::Fault::Mute("kubectl")));
    let told = run::plan(&host, &intent, &steps).map(drop).unwrap_err().to_string();
    assert!(format!("{told:#}").contains("cni-interface"), "{told}");
    // What somebody else has set is his.
    fs::write(&variable, "can-reach=10.0.0.1").unwrap();
    let other = kinds::bare(Role::Master);
    fs::write(other.root().join("run/calico"), "can-reach=10.0.0.1").unwrap();
    let (host, _) = other.look(None);
    let plan = run::plan(&host, &intent, &steps).unwrap();
    assert!(plan.iter().all(|planned| planned.changes.is_empty()));
    fs::remove_file(&variable).unwrap();
    intent.cluster.cni_interface = Some("eth.*".to_owned().try_into().unwrap());

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

#[test]
fn flannel_is_told_its_interface_where_the_manifest_leaves_it_open() {
    let node = kinds::bare(Role::Master);
    let mut intent = node.intent();
    intent.bundle = bundle_changed(&[("flannel", "{}")], |lock| {
        let mut manifest = locked(&("flannel", "{}"));
        manifest.expects = vec![Expectation {
            of: Aspect::DefaultRoute,
            value: "kube-flannel".to_owned(),
            document: "DaemonSet kube-flannel/kube-flannel-ds".to_owned(),
            path: "spec".to_owned(),
        }];
        lock.manifests = vec![manifest];
    });
    let mut steps: Steps = order::steps(Role::Master);
    steps.retain(|step| step.name() == StepName::CniInterface);
    let variable = node.root().join("run/flannel");
    for (interface, set) in [(Some("eth1,ens.*"), "^(eth1|ens.*)$"), (None, "")] {
        intent.cluster.cni_interface = interface.map(|name| name.to_owned().try_into().unwrap());
        let (host, _) = node.look(None);
        assert_eq!(preflight::problems(&host, &intent).len(), usize::from(interface.is_none()));
        run::apply(&mut host.open().unwrap(), &intent, &steps, &mut |_, _, _| ()).unwrap();
        assert_eq!(fs::read_to_string(&variable).unwrap_or_default(), set);
    }
}

#[test]
fn what_is_skipped_is_a_manifest_of_the_bundle() {
    let node = kinds::bare(Role::Master);
    let mut intent = node.intent();
    intent.bundle = bundle_with(&[("cni", "kind: List\n"), ("web", "kind: List\n")]);
    for (skipped, told) in [("web", ""), ("wed", "skipManifests names wed, and the bundle has")] {
        intent.cluster.skip_manifests = vec![skipped.to_owned()];
        let problems = preflight::problems(&node.look(None).0, &intent);
        let found = problems.iter().find(|one| one.to_string().contains("skipManifests"));
        assert_eq!(found.is_some(), !told.is_empty(), "{skipped}");
        if let Some(found) = found {
            assert!(found.to_string().starts_with(told), "{found}");
            assert_eq!(found.cure(), "take it out, or name one of cni, web");
        }
    }
}

#[test]
fn a_folder_is_served_to_the_clusters_machines_and_outlives_a_reset() {
    for role in [Role::Master, Role::Worker] {
        let mut node = kinds::firewalled(role);
        let before = node.tree();
        node.change = kinds::serve;
        node.apply(None).end.unwrap();
        let exports =
            fs::read_to_string(node.root().join("etc/exports.d/kubeferry.exports")).unwrap();
        let line = exports.lines().nth(1).unwrap();
        let options = "(rw,sync,no_subtree_check,no_root_squash)";
        assert!(line.starts_with("/srv/deep/share "), "{line}");
        for (client, is_there) in [
            ("10.0.0.1", role == Role::Worker),
            ("10.0.0.2", true),
            ("10.0.0.3", true),
            ("10.0.0.4", false),
        ] {
            assert_eq!(line.contains(&format!(" {client}{options}")), is_there, "{line}");
        }
        let public =
            fs::read_to_string(node.root().join("etc/firewalld/zones/public.xml")).unwrap();
        for service in ["nfs", "mountd", "rpc-bind"] {
            let client = if role == Role::Master { "10.0.0.3" } else { "10.0.0.0/24" };
            let rule = format!("source address=\"{client}\" service name=\"{service}\" accept");
            assert!(public.contains(&rule), "{public}");
            assert!(!public.contains(&format!("service {service}\n")), "{public}");
        }

        node.change = |intent| {
            kinds::serve(intent);
            intent.cluster.nodes.retain(|node| node.nfs.is_some());
        };
        // A master that no other is named beside takes all of its network for machines.
        let firewall = if role == Role::Master { 4 } else { 0 };
        assert_eq!(node.apply(None).end.unwrap(), 2 + firewall, "/etc/hosts, and the exports");
        let served = node.root().join("run/systemd/active/nfs-server");
        assert!(!fs::read_to_string(&served).unwrap().contains("10.0.0.3"));
        node.change = |_| ();
        node.apply(None).end.unwrap();
        assert_eq!(fs::read_to_string(&served).unwrap(), "");
        let public =
            fs::read_to_string(node.root().join("etc/firewalld/zones/public.xml")).unwrap();
        for service in ["nfs", "mountd", "rpc-bind"] {
            assert!(!public.contains(service), "{public}");
        }
        assert!(public.contains("service ssh\n") && public.contains("port 80/tcp\n"), "{public}");
        node.change = |intent| intent.cluster.ingress = false;
        node.apply(None).end.unwrap();
        let public =
            fs::read_to_string(node.root().join("etc/firewalld/zones/public.xml")).unwrap();
        assert!(!public.contains("port 80/tcp\n") && public.contains("port 22/tcp\n"), "{public}");
        assert!(node.plan().iter().all(|(_, changes)| changes.is_empty()));

        node.change = kinds::serve;
        node.apply(None).end.unwrap();
        let kept = node.root().join("srv/deep/share/kept");
        fs::write(&kept, "x").unwrap();
        let mut host = node.look(None).0.open().unwrap();
        assert_eq!(reset::reset(&mut host, &mut |_| ()), [""; 0]);
        assert!(kept.exists());
        assert!(!served.exists());
        drop(host);
        fs::remove_file(kept).unwrap();
        node.assert_goes_back(&before, "a second reset");
    }
}

#[test]
fn nfs_needs_its_package_on_each_node() {
    for (name, installed) in [("nfs-utils", true), ("bash", false)] {
        let node = kinds::bare(Role::Worker);
        let packages = format!("{name} - 2.5-1.el9 x86_64\n");
        fs::write(node.root().join("run/packages"), packages).unwrap();
        let mut intent = node.intent();
        intent.join.as_mut().unwrap().endpoint = "127.0.0.1:9".to_owned();
        let told = |intent: &Intent| {
            let problems = preflight::problems(&node.look(None).0, intent);
            problems.iter().any(|problem| problem.to_string().contains("node-1 serves NFS"))
        };
        assert!(!told(&intent));
        kinds::serve(&mut intent);
        assert_eq!(told(&intent), !installed);
    }
}
