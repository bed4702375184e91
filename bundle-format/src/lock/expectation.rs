//! What a manifest expects of its cluster, compared with what a cluster file says.

use std::net::Ipv4Addr;
use std::ops::RangeInclusive;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use crate::cluster::conflict::Conflict;
use crate::cluster::file::Cluster;

/// A value in a manifest that fits only some clusters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expectation {
    /// What the value is about.
    pub of: Aspect,
    /// The value as the manifest has it.
    pub value: String,
    /// `DaemonSet kube-system/calico-node`.
    pub document: String,
    /// `spec.template.spec.containers[calico-node].env[CALICO_IPV4POOL_CIDR]`.
    pub path: String,
}

/// What an expectation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Aspect {
    /// A network from which pods get addresses. It must be within `podCidr`.
    PodAddresses,
    /// A network that `podCidr` must be within.
    PodNetwork,
    /// The network of Services.
    ServiceNetwork,
    /// The address of a Service.
    ServiceAddress,
    /// The address of the cluster's DNS.
    Dns,
    /// A family of addresses other than IPv4.
    Family,
    /// A port that a Service has on each node.
    NodePort,
    /// The API server's name or address.
    ApiServer,
    /// A machine, by its name in the cluster.
    Machine,
    /// An interface that the nodes have.
    Interface,
    /// A container that takes the interface of the node's default route, by its name.
    DefaultRoute,
    /// The largest packet between pods, in bytes.
    Mtu,
    /// A port of the node itself, `443/TCP`, on the nodes where the manifest's
    /// pods run.
    HostPort,
}

/// The default of the API server's `--service-node-port-range`.
const NODE_PORTS: RangeInclusive<u16> = 30000..=32767;

impl Expectation {
    /// The place in the manifest: `DaemonSet kube-system/calico-node, spec.…`.
    pub fn place(&self) -> String {
        format!("{}, {}", self.document, self.path)
    }

    /// The object's kind, namespace and name.
    pub fn object(&self) -> (&str, Option<&str>, &str) {
        let (kind, name) = self.document.split_once(' ').unwrap_or(("", &self.document));
        name.split_once('/')
            .map_or((kind, None, name), |(namespace, name)| (kind, Some(namespace), name))
    }

    /// The contradiction between the manifest and the cluster file. `None` if
    /// both agree, if only a node can tell, or if the value cannot be compared,
    /// such as a template.
    pub fn conflict(&self, cluster: &Cluster) -> Option<Conflict> {
        let says = self.otherwise(cluster)?;
        let (key, has, cure) = self.of.in_cluster(cluster)?;
        Some(Conflict::new(key, format!("{} {says}, and {has}", self.place()), cure))
    }

    /// What the manifest says, if the cluster has something else.
    fn otherwise(&self, cluster: &Cluster) -> Option<String> {
        let (pods, services) = (cluster.pod_cidr.trunc(), cluster.service_cidr.trunc());
        let value = &self.value;
        let network = || value.parse::<Ipv4Net>().ok().map(|network| network.trunc());
        let address = || value.parse::<Ipv4Addr>().ok();
        let (differs, says) = match self.of {
            Aspect::PodAddresses => {
                (!pods.contains(&network()?), format!("has pods' addresses from {value}"))
            }
            Aspect::PodNetwork => {
                (!network()?.contains(&pods), format!("has {value} as the network of pods"))
            }
            Aspect::ServiceNetwork => {
                (network()? != services, format!("has {value} as the network of Services"))
            }
            Aspect::ServiceAddress => {
                (!services.contains(&address()?), format!("gives a Service the address {value}"))
            }
            Aspect::Dns => {
                (address()? != cluster.dns(), format!("has {value} as the cluster's DNS server"))
            }
            Aspect::NodePort => {
                let differs = !node_ports(cluster).contains(&value.parse().ok()?);
                (differs, format!("gives a Service the node port {value}"))
            }
            Aspect::Family => (true, format!("asks for {value}")),
            Aspect::ApiServer
            | Aspect::Machine
            | Aspect::Interface
            | Aspect::DefaultRoute
            | Aspect::Mtu
            | Aspect::HostPort => return None,
        };
        differs.then_some(says)
    }
}

impl Aspect {
    /// The key of the cluster file that decides, the cluster's value, and what to
    /// do if a manifest has another one. `None` if only a node can tell.
    fn in_cluster(self, cluster: &Cluster) -> Option<(&'static str, String, &'static str)> {
        let (pods, services) = (cluster.pod_cidr.trunc(), cluster.service_cidr.trunc());
        Some(match self {
            Self::PodAddresses | Self::PodNetwork => (
                "podCidr",
                format!("podCidr is {pods}"),
                "write the same network in the cluster file as `podCidr`, or make a bundle whose \
                 manifest has it, by `poolCidr` in the spec",
            ),
            Self::ServiceNetwork | Self::ServiceAddress => (
                "serviceCidr",
                format!("serviceCidr is {services}"),
                "write the same network in the cluster file as `serviceCidr`, or make a bundle \
                 whose manifest has it, by `set` in the spec",
            ),
            Self::Dns => (
                "serviceCidr",
                format!("serviceCidr {services} makes it {}", cluster.dns()),
                "write the serviceCidr in the cluster file whose tenth address that is, or make \
                 a bundle whose manifest has the other",
            ),
            Self::NodePort => {
                let ports = node_ports(cluster);
                (
                    "kubeadm",
                    format!("the API server takes {}-{}", ports.start(), ports.end()),
                    "write another range in the cluster file, `kubeadm: {apiServer: \
                     {service-node-port-range: …}}`, or another port in the manifest",
                )
            }
            Self::Family => (
                "podCidr",
                "this cluster has IPv4 only".to_owned(),
                "make a bundle whose manifest does without, by `set` in the spec",
            ),
            Self::ApiServer
            | Self::Machine
            | Self::Interface
            | Self::DefaultRoute
            | Self::Mtu
            | Self::HostPort => return None,
        })
    }
}

/// The node ports that the API server can give to Services.
fn node_ports(cluster: &Cluster) -> RangeInclusive<u16> {
    let arguments = &cluster.kubeadm.api_server;
    let given = arguments.iter().find(|(name, _)| name.as_ref() == "service-node-port-range");
    let range = given.and_then(|(_, range)| {
        let (first, last) = range.as_ref().split_once('-')?;
        Some(first.trim().parse().ok()?..=last.trim().parse().ok()?)
    });
    range.unwrap_or(NODE_PORTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(of: Aspect, value: &str, cluster: &str) -> Option<String> {
        let [document, path] = ["Kind a/b", "spec.c"].map(str::to_owned);
        let one = Expectation { of, value: value.to_owned(), document, path };
        let cluster: Cluster = serde_json::from_str(cluster).unwrap();
        one.conflict(&cluster).map(|conflict| conflict.to_string())
    }

    #[test]
    fn both_places_are_told_where_they_differ() {
        let pods = r#"{"podCidr": "10.9.0.0/16"}"#;
        let services = r#"{"serviceCidr": "10.9.0.0/16"}"#;
        for (of, cluster, good, bad) in [
            (Aspect::PodAddresses, pods, "10.9.128.0/17", "10.8.0.0/15"),
            (Aspect::PodAddresses, "{}", "10.244.0.0/16", "192.168.0.0/16"),
            (Aspect::PodNetwork, pods, "10.8.0.0/15", "10.9.128.0/17"),
            (Aspect::ServiceNetwork, services, "10.9.0.0/16", "10.9.0.0/17"),
            (Aspect::ServiceAddress, services, "10.9.7.7", "10.96.7.7"),
            (Aspect::Dns, services, "10.9.0.10", "10.96.0.10"),
            (Aspect::Dns, "{}", "10.96.0.10", "10.96.0.11"),
            (Aspect::NodePort, "{}", "30000", "29999"),
        ] {
            assert_eq!(told(of, good, cluster), None, "{of:?}");
            let words = told(of, bad, cluster).unwrap();
            assert!(words.starts_with("Kind a/b, spec.c ") && words.contains(bad), "{words}");
        }
        assert_eq!(
            told(Aspect::PodAddresses, "192.168.0.0/16", pods).unwrap(),
            "Kind a/b, spec.c has pods' addresses from 192.168.0.0/16, and podCidr is 10.9.0.0/16"
        );
        let range = r#"{"kubeadm": {"apiServer": {"service-node-port-range": "80-30100"}}}"#;
        assert_eq!(told(Aspect::NodePort, "80", range), None);
        assert!(told(Aspect::NodePort, "30101", range).unwrap().contains("takes 80-30100"));
        assert!(told(Aspect::Family, "IPv6", "{}").unwrap().contains("IPv4 only"));
    }

    #[test]
    fn what_cannot_be_compared_is_no_conflict() {
        for of in [Aspect::PodAddresses, Aspect::ServiceAddress, Aspect::Dns, Aspect::NodePort] {
            for value in ["", "$(POD_CIDR)", "__PILLAR__DNS__SERVER__", "fd00::/48", "None"] {
                assert_eq!(told(of, value, "{}"), None, "{of:?} {value}");
            }
        }
    }
}
