//! What may stand in a cluster file, with the default of each key.

use std::fmt;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::arguments::Arguments;
use super::interface::Interface;
use super::kubelet;
use super::member::Member;
use super::mirrors::Mirrors;
use super::node_name::NodeName;

/// `cluster.yaml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Cluster {
    /// The cluster's machines, as far as they are known.
    pub nodes: Vec<Member>,
    /// The network of pods.
    #[schemars(with = "String", extend("format" = "ipv4-network"))]
    pub pod_cidr: Ipv4Net,
    /// The network of Services.
    #[schemars(with = "String", extend("format" = "ipv4-network"))]
    pub service_cidr: Ipv4Net,
    /// The API server for all nodes, `HOST:PORT`; the first master's address and
    /// port 6443 if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "endpoint"))]
    pub endpoint: Option<String>,
    /// How kube-proxy does it.
    pub proxy_mode: ProxyMode,
    /// Who makes control groups.
    pub cgroup_driver: CgroupDriver,
    /// The site's time servers; the first master serves the time if there are
    /// none.
    #[schemars(schema_with = "hosts")]
    pub ntp_servers: Vec<String>,
    /// What becomes of the firewall.
    pub firewall: Firewall,
    /// What becomes of SELinux.
    pub selinux: Selinux,
    /// More settings of all kubelets, by the keys of KubeletConfiguration.
    #[schemars(schema_with = "kubelet::schema")]
    pub kubelet: serde_json::Map<String, serde_json::Value>,
    /// More arguments of the control plane.
    pub kubeadm: Arguments,
    /// The interface by which Calico finds a node's address, where it would
    /// choose another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cni_interface: Option<Interface>,
    /// Registries of the site that stand in for others.
    #[schemars(extend("propertyNames" = {"format": "registry-host"}))]
    pub registry_mirrors: Mirrors,
    /// Whether the bundle's manifest `ingress-nginx` is applied.
    pub ingress: bool,
    /// The machines that the manifest `ingress-nginx` runs on, by name; all that
    /// take it if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingress_nodes: Option<Vec<NodeName>>,
    /// Manifests of the bundle that are not applied, by name.
    #[schemars(extend("examples" = [["ingress-nginx"]]))]
    pub skip_manifests: Vec<String>,
}

fn hosts(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "array", "items": {"type": "string", "format": "host"}})
}

impl Default for Cluster {
    fn default() -> Self {
        let network = |a, b, prefix| Ipv4Net::new_assert(Ipv4Addr::new(a, b, 0, 0), prefix);
        Self {
            nodes: Vec::new(),
            pod_cidr: network(10, 244, 16),
            service_cidr: network(10, 96, 12),
            endpoint: None,
            proxy_mode: ProxyMode::Iptables,
            cgroup_driver: CgroupDriver::Systemd,
            ntp_servers: Vec::new(),
            firewall: Firewall::Configure,
            selinux: Selinux::Leave,
            kubelet: serde_json::Map::new(),
            kubeadm: Arguments::default(),
            cni_interface: None,
            registry_mirrors: Mirrors::new(),
            ingress: true,
            ingress_nodes: None,
            skip_manifests: Vec::new(),
        }
    }
}

/// How kube-proxy sends traffic to Services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProxyMode {
    /// By iptables.
    Iptables,
    /// By IPVS; the kernel must have it.
    Ipvs,
    /// By nftables, from Kubernetes 1.31 on.
    Nftables,
}

impl fmt::Display for ProxyMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Iptables => "iptables",
            Self::Ipvs => "ipvs",
            Self::Nftables => "nftables",
        })
    }
}

/// Who makes control groups; kubelet and containerd must agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CgroupDriver {
    /// systemd.
    Systemd,
    /// They themselves.
    Cgroupfs,
}

impl fmt::Display for CgroupDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Systemd => "systemd",
            Self::Cgroupfs => "cgroupfs",
        })
    }
}

/// What becomes of firewalld.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Firewall {
    /// Where it runs, the ports that the role needs are opened, and no others.
    Configure,
    /// It is stopped, and does not start again.
    Flush,
    /// Nothing: somebody else opens the ports.
    Leave,
}

/// What becomes of SELinux.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Selinux {
    /// It warns, and forbids nothing.
    Permissive,
    /// Nothing.
    Leave,
}

impl Cluster {
    /// The machine with this address or, where the file has it by another, with
    /// this name.
    pub fn member(&self, address: Ipv4Addr, name: &NodeName) -> Option<&Member> {
        let by_name = || self.nodes.iter().find(|node| node.name == *name);
        self.nodes.iter().find(|node| node.address == address).or_else(by_name)
    }

    /// Whether the ingress runs on a machine, as far as names say.
    pub fn has_ingress_on(&self, name: &NodeName) -> bool {
        self.ingress && self.ingress_nodes.as_ref().is_none_or(|names| names.contains(name))
    }

    /// The cluster's DNS server: the tenth address of Services, as kubeadm has it.
    pub fn dns(&self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.service_cidr.network()).saturating_add(10))
    }
}
