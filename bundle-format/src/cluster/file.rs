//! The keys of a cluster file, with their defaults.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::Ipv4Net;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::arguments::Arguments;
use super::control_plane::ControlPlane;
use super::interface::Interface;
use super::kubelet;
use super::member::{Duty, Member};
use super::mirrors::Mirrors;
use super::node_name::NodeName;
use super::schedule::BackupSchedule;

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
    /// The API server for all nodes, `HOST:PORT`. If left out, the address of
    /// `controlPlane`, else the first master's, and port 6443.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "endpoint"))]
    pub endpoint: Option<String>,
    /// One address for several masters, which one of them holds at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control_plane: Option<ControlPlane>,
    /// How kube-proxy sends traffic to Services.
    pub proxy_mode: ProxyMode,
    /// Who manages control groups.
    pub cgroup_driver: CgroupDriver,
    /// The site's time servers. If there are none, the first master serves the
    /// time.
    #[schemars(schema_with = "hosts")]
    pub ntp_servers: Vec<String>,
    /// What to do with the firewall.
    pub firewall: Firewall,
    /// What to do with SELinux.
    pub selinux: Selinux,
    /// Additional settings of all kubelets, by the keys of KubeletConfiguration.
    #[schemars(schema_with = "kubelet::schema")]
    pub kubelet: serde_json::Map<String, serde_json::Value>,
    /// Additional arguments of the control plane.
    pub kubeadm: Arguments,
    /// The interface on which Calico finds a node's address, or by which flannel sends,
    /// if they would choose a wrong one or none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cni_interface: Option<Interface>,
    /// The site's mirrors of registries.
    #[schemars(extend("propertyNames" = {"format": "registry-host"}))]
    pub registry_mirrors: Mirrors,
    /// Whether the bundle's ingress is applied: its manifest `ingress-nginx` or
    /// `traefik`.
    pub ingress: bool,
    /// The machines that run the ingress, by name. If left out, all machines that
    /// can run it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingress_nodes: Option<Vec<NodeName>>,
    /// Manifests of the bundle that are not applied, by name.
    #[schemars(extend("examples" = [["ingress-nginx"]]))]
    pub skip_manifests: Vec<String>,
    /// Backups that each master makes by itself. If left out, none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<BackupSchedule>,
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
            control_plane: None,
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
            backup: None,
        }
    }
}

impl Cluster {
    /// Whether kubelets are told to accept control groups of version 1.
    pub fn accepts_cgroup_v1(&self) -> bool {
        self.kubelet.get("failCgroupV1") == Some(&false.into())
    }
}

/// How kube-proxy sends traffic to Services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProxyMode {
    /// With iptables.
    Iptables,
    /// With IPVS. The kernel must have it.
    Ipvs,
    /// With nftables, from Kubernetes 1.31 on.
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

/// Who manages control groups. kubelet and containerd must use the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CgroupDriver {
    /// systemd.
    Systemd,
    /// kubelet and containerd themselves.
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

/// What to do with firewalld.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Firewall {
    /// If firewalld runs, open the ports that the node's role needs, and no
    /// others.
    Configure,
    /// Stop it, and do not let it start again.
    Flush,
    /// Do nothing: somebody else opens the ports.
    Leave,
}

/// What to do with SELinux.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Selinux {
    /// Let it warn, and forbid nothing.
    Permissive,
    /// Do nothing.
    Leave,
}

impl Cluster {
    /// The addresses of the machines that are masters, in the order of the file.
    pub fn masters(&self) -> impl Iterator<Item = IpAddr> {
        let masters = self.nodes.iter().filter(|node| node.role == Some(Duty::Master));
        masters.map(|node| node.address)
    }

    /// The API server for all nodes, `HOST:PORT`, if this file says it.
    pub fn told_endpoint(&self) -> Option<String> {
        let of_vip = || self.control_plane.as_ref().map(ControlPlane::endpoint);
        self.endpoint.clone().or_else(of_vip)
    }

    /// The machine with this address. If no machine has it, the machine with this
    /// name.
    pub fn member(&self, address: IpAddr, name: &NodeName) -> Option<&Member> {
        let by_name = || self.nodes.iter().find(|node| node.name == *name);
        self.nodes.iter().find(|node| node.address == address).or_else(by_name)
    }

    /// Whether the ingress may run on a machine, as far as its name decides.
    pub fn has_ingress_on(&self, name: &NodeName) -> bool {
        self.ingress && self.ingress_nodes.as_ref().is_none_or(|names| names.contains(name))
    }

    /// The cluster's DNS server: the tenth address of Services, by kubeadm's
    /// rule.
    pub fn dns(&self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.service_cidr.network()).saturating_add(10))
    }
}
