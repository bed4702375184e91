//! What the bundle's manifests expect of the cluster.

use std::fs;

use bundle_format::lock::{Aspect, Expectation, LockedManifest};
use installer::role::Role;

use super::Told::{Nothing, Problem, Warning};
use super::told;
use crate::node::intent::{bundle_changed, locked};
use crate::node::kinds;

/// A manifest that expects this.
fn expecting(of: Aspect, value: &str) -> LockedManifest {
    let [value, document, path] =
        [value, "DaemonSet kube-system/calico-node", "spec.x"].map(str::to_owned);
    let mut manifest = locked(&("network", "{}"));
    manifest.expects = vec![Expectation { of, value, document, path }];
    manifest
}

#[test]
fn manifests_expect_another_cluster() {
    for (of, value, wanted) in [
        (Aspect::PodAddresses, "10.244.0.0/16", Nothing),
        (Aspect::PodAddresses, "10.244.128.0/17", Nothing),
        (
            Aspect::PodAddresses,
            "192.168.0.0/16",
            Problem(
                "the bundle's manifest network: DaemonSet kube-system/calico-node, spec.x has pods' addresses from 192.168.0.0/16, and podCidr is 10.244.0.0/16\nwrite the same network",
            ),
        ),
        (Aspect::PodNetwork, "10.0.0.0/8", Nothing),
        (Aspect::PodNetwork, "10.9.0.0/16", Problem("as the network of pods, and podCidr is")),
        (Aspect::ServiceAddress, "10.200.0.1", Problem("and serviceCidr is 10.96.0.0/12")),
        (Aspect::Dns, "10.96.0.11", Problem("makes it 10.96.0.10")),
        (Aspect::NodePort, "80", Problem("the API server takes 30000-32767")),
        (Aspect::Family, "IPv6", Problem("this cluster has IPv4 only")),
        (Aspect::ApiServer, "10.0.0.2", Nothing),
        (Aspect::ApiServer, "10.96.0.1", Nothing),
        (
            Aspect::ApiServer,
            "10.7.7.7",
            Problem("at 10.7.7.7, but this cluster's is 10.0.0.2:6443"),
        ),
        (Aspect::Interface, "eth0", Nothing),
        (Aspect::Interface, "eth5", Nothing),
        (Aspect::Interface, "ens3", Problem("needs the interface ens3")),
        (
            Aspect::DefaultRoute,
            "kube-flannel",
            Problem(
                "takes the interface of the default route, and this node has none\nwrite `cniInterface: eth0` in the cluster file",
            ),
        ),
        (Aspect::Mtu, "1450", Nothing),
        (
            Aspect::Mtu,
            "8950",
            Problem("packets of 8950 bytes between pods, but eth0 carries only 1500"),
        ),
        (Aspect::Machine, "node-7", Nothing),
        (Aspect::HostPort, "81/TCP", Nothing),
        (
            Aspect::HostPort,
            "80/TCP",
            Warning("port 80 is taken by httpd, and pods of the bundle's manifest network want it"),
        ),
    ] {
        let node = kinds::bare(Role::Master);
        let listening = "LISTEN 0 511 *:80 *:* users:((\"httpd\",pid=7,fd=4))\n";
        for (path, text) in [
            ("sys/class/net/eth0/mtu", "1500\n"),
            // Without an address.
            ("sys/class/net/eth5/mtu", "1500\n"),
            ("run/listening", listening),
        ] {
            let path = node.root().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let mut intent = node.intent();
        intent.bundle = bundle_changed(&[("network", "{}")], |lock| {
            lock.manifests = vec![expecting(of, value)];
        });
        let [problems, warnings] = told(&node, &intent);
        let words = match wanted {
            Nothing => None,
            Problem(words) => Some((&problems, words)),
            Warning(words) => Some((&warnings, words)),
        };
        let count = problems.len() + warnings.len();
        assert_eq!(count, usize::from(words.is_some()), "{of:?}: {problems:?} {warnings:?}");
        if let Some((all, words)) = words {
            assert!(all[0].contains(words), "{words}: {all:?}");
        }
        // What is not applied is expected of nobody.
        intent.cluster.skip_manifests = vec!["network".to_owned()];
        assert_eq!(told(&node, &intent).concat(), [""; 0], "{of:?}");
    }
    // The default route may be by another interface.
    for (route, interface, warned) in
        [("eth0", None, false), ("eth1", None, true), ("eth1", Some("eth0"), false)]
    {
        let node = kinds::bare(Role::Worker);
        let mut intent = node.intent();
        intent.facts.default_route = Some(route.to_owned());
        intent.cluster.cni_interface = interface.map(|name| name.to_owned().try_into().unwrap());
        intent.bundle = bundle_changed(&[("network", "{}")], |lock| {
            lock.manifests = vec![expecting(Aspect::DefaultRoute, "kube-flannel")];
        });
        let [problems, warnings] = told(&node, &intent);
        assert_eq!(problems, [""; 0]);
        assert_eq!(warnings.len(), usize::from(warned), "{warnings:?}");
        assert!(warnings.iter().all(|one| one.contains("default route, eth1, and this node's")));
    }
    // Of a machine it is known only where the file has machines.
    let node = kinds::bare(Role::Master);
    let mut intent = node.intent();
    intent.bundle = bundle_changed(&[("network", "{}")], |lock| {
        lock.manifests = vec![expecting(Aspect::Machine, "node-7")];
    });
    intent.cluster.nodes = serde_saphyr::from_str("[{name: node-2, address: 10.0.0.3}]").unwrap();
    assert!(told(&node, &intent)[1][0].contains("waits for a machine node-7"));
}
