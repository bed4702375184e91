//! The networks of pods and of Services, by kubeadm's rules.

use std::net::IpAddr;

use ipnet::Ipv4Net;

use super::conflict::Conflict;
use super::file::Cluster;

/// The number of bits in an address.
const WHOLE: u8 = 32;
/// How many bits may differ between Services: at most `MaximumBitsForServiceSubnet`,
/// and at least as many as 10 addresses need, `MinimumAddressesInServiceSubnet`
/// (kubeadm's `constants.go`).
const SERVICES: std::ops::RangeInclusive<u8> = 4..=20;
/// How many bits must differ between pods, for 14 addresses
/// (`MinimumAddressesInPodSubnet`).
const PODS: u8 = 4;
/// How many bits longer a node's prefix may be than that of all pods
/// (`PodSubnetNodeMaskMaxDiff`).
const NODES: u8 = 16;
/// The controller manager's default for a node's prefix.
const NODE: u8 = 24;

/// All that is wrong with each of them, and between them and the machines.
pub(super) fn conflicts(cluster: &Cluster) -> Vec<Conflict> {
    let (pods, services) = (cluster.pod_cidr, cluster.service_cidr);
    let named = [("podCidr", pods), ("serviceCidr", services)];
    let mut found: Vec<Conflict> =
        named.iter().filter_map(|(key, network)| address(key, *network)).collect();
    if !SERVICES.contains(&(WHOLE - services.prefix_len())) {
        let (large, small) = (WHOLE - SERVICES.end(), WHOLE - SERVICES.start());
        found.push(Conflict::new(
            "serviceCidr",
            format!("serviceCidr {services} has a size that kubeadm refuses"),
            format!("choose one from /{large} to /{small}"),
        ));
    }
    found.extend(of_pods(cluster));
    if pods.contains(&services) || services.contains(&pods) {
        found.push(
            Conflict::new(
                "podCidr",
                format!("podCidr {pods} and serviceCidr {services} overlap"),
                "choose two networks that do not",
            )
            .with("serviceCidr"),
        );
    }
    for node in &cluster.nodes {
        let IpAddr::V4(address) = node.address else { continue };
        for (key, network) in named.into_iter().filter(|(_, one)| one.contains(&address)) {
            found.push(
                Conflict::new(
                    key,
                    format!("{key} {network} has the address of {}, {address}", node.name),
                    format!("choose another {key}"),
                )
                .with("nodes"),
            );
        }
    }
    found
}

/// Refuses an address within a network that is written as a network, because its
/// author may have meant another one.
fn address(key: &'static str, network: Ipv4Net) -> Option<Conflict> {
    let whole = network.trunc();
    (whole != network).then(|| {
        let what = format!("{key} {network} is an address in a network");
        Conflict::new(key, what, format!("write {whole}"))
    })
}

/// Each node gets a part of the pods' network, unless nobody assigns these parts.
fn of_pods(cluster: &Cluster) -> Option<Conflict> {
    let pods = cluster.pod_cidr;
    let (largest, smallest) = match nodes_prefix(cluster) {
        Nodes::Get(prefix) => (prefix.saturating_sub(NODES), prefix.min(WHOLE - PODS)),
        Nodes::GetNone => (0, WHOLE - PODS),
        Nodes::AskKubeadm => return None,
    };
    let fits = (largest..=smallest).contains(&pods.prefix_len());
    (!fits).then(|| {
        Conflict::new(
            "podCidr",
            format!("podCidr {pods} has a size that kubeadm refuses"),
            format!("choose one from /{largest} to /{smallest}"),
        )
    })
}

/// What the controller manager assigns to each node from the pods' network.
enum Nodes {
    /// A network of this prefix.
    Get(u8),
    /// Nothing.
    GetNone,
    /// The value is not a number. kubeadm has the better error for that.
    AskKubeadm,
}

fn nodes_prefix(cluster: &Cluster) -> Nodes {
    let told = |name: &str| {
        let mut all = cluster.kubeadm.controller_manager.iter();
        all.find(|(own, _)| own.as_ref() == name).map(|(_, value)| value.as_ref())
    };
    if told("allocate-node-cidrs") == Some("false") {
        return Nodes::GetNone;
    }
    // kubeadm reads the second one only for networks of IPv4.
    match told("node-cidr-mask-size-ipv4").or(told("node-cidr-mask-size")) {
        None => Nodes::Get(NODE),
        Some(text) => text.parse().map_or(Nodes::AskKubeadm, Nodes::Get),
    }
}

#[cfg(test)]
mod tests {
    use crate::cluster::Given;

    fn told(text: &str) -> Vec<String> {
        let given: Given = serde_json::from_str(text).unwrap();
        let found = given.conflicts();
        found.iter().map(|one| format!("{one}: {}", one.cure())).collect()
    }

    #[test]
    fn sizes_are_those_that_kubeadm_takes() {
        for (key, good, bad) in [
            ("serviceCidr", ["10.96.0.0/12", "10.96.0.0/28"], ["16.0.0.0/11", "10.96.0.0/29"]),
            ("podCidr", ["11.0.0.0/8", "10.9.0.0/24"], ["12.0.0.0/7", "10.9.0.0/25"]),
        ] {
            for network in good {
                assert_eq!(told(&format!(r#"{{"{key}": "{network}"}}"#)), [""; 0]);
            }
            for network in bad {
                let told = told(&format!(r#"{{"{key}": "{network}"}}"#));
                let what = format!("{key} {network} has a size that kubeadm refuses: choose one");
                assert!(told.len() == 1 && told[0].starts_with(&what), "{told:?}");
            }
        }
    }

    #[test]
    fn what_a_node_gets_moves_the_sizes() {
        let fits = |network: &str, arguments: &str| {
            let given = format!(
                r#"{{"podCidr": "{network}", "kubeadm": {{"controllerManager": {{{arguments}}}}}}}"#
            );
            told(&given).is_empty()
        };
        assert!(fits("10.9.0.0/25", r#""node-cidr-mask-size": 26"#));
        assert!(!fits("10.9.0.0/27", r#""node-cidr-mask-size": 26"#));
        assert!(!fits("11.0.0.0/8", r#""node-cidr-mask-size": 26"#));
        assert!(!fits("10.9.0.0/29", r#""node-cidr-mask-size-ipv4": "30""#));
        assert!(fits("11.0.0.0/8", r#""node-cidr-mask-size": "x""#));
        assert!(fits("10.9.0.0/27", r#""allocate-node-cidrs": false"#));
    }

    #[test]
    fn an_address_in_a_network_is_none() {
        assert_eq!(
            told(r#"{"podCidr": "10.244.0.1/16"}"#),
            ["podCidr 10.244.0.1/16 is an address in a network: write 10.244.0.0/16"]
        );
        assert_eq!(
            told(r#"{"serviceCidr": "10.96.0.1/12"}"#),
            ["serviceCidr 10.96.0.1/12 is an address in a network: write 10.96.0.0/12"]
        );
    }

    #[test]
    fn networks_overlap_with_nothing() {
        let starts = |text: &str, what: &str| {
            let told = told(text);
            assert!(told.len() == 1 && told[0].starts_with(what), "{told:?}");
        };
        assert_eq!(told("{}"), [""; 0]);
        let overlap = "podCidr 10.100.0.0/16 and serviceCidr 10.96.0.0/12 overlap";
        starts(r#"{"podCidr": "10.100.0.0/16"}"#, overlap);
        for key in ["podCidr", "serviceCidr"] {
            let machine = r#""nodes": [{"name": "a", "address": "10.0.0.2"}]"#;
            let what = format!("{key} 10.0.0.0/16 has the address of a, 10.0.0.2");
            starts(&format!(r#"{{"{key}": "10.0.0.0/16", {machine}}}"#), &what);
        }
    }
}
