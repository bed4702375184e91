//! The cluster as its operator wants it: `cluster.yaml`. All of it may be left
//! out; what is then taken is said here.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use anyhow::Context;
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// `cluster.yaml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Cluster {
    /// The cluster's machines, as far as they are known.
    pub nodes: Vec<Member>,
    /// The network of pods.
    pub pod_cidr: Ipv4Net,
    /// The network of Services.
    pub service_cidr: Ipv4Net,
    /// The API server for all nodes, `HOST:PORT`; the first master's address and
    /// port 6443 if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// How kube-proxy does it.
    pub proxy_mode: ProxyMode,
    /// Who makes control groups.
    pub cgroup_driver: CgroupDriver,
    /// The site's time servers; the first master serves the time if there are
    /// none.
    pub ntp_servers: Vec<String>,
    /// What becomes of the firewall.
    pub firewall: Firewall,
    /// What becomes of SELinux.
    pub selinux: Selinux,
    /// More settings of all kubelets, by the keys of KubeletConfiguration.
    pub kubelet: serde_json::Map<String, serde_json::Value>,
    /// Whether the bundle's manifest `ingress-nginx` is applied.
    pub ingress: bool,
    /// Manifests of the bundle that are not applied, by name.
    pub skip_manifests: Vec<String>,
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
            ingress: true,
            skip_manifests: Vec::new(),
        }
    }
}

/// One of the cluster's machines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Member {
    /// Its name in the cluster, and its host name.
    pub name: NodeName,
    /// Its address.
    pub address: IpAddr,
}

/// A node's name: a DNS subdomain in lower case (RFC 1123), as Kubernetes wants
/// it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeName(String);

impl TryFrom<String> for NodeName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        if text.len() <= 253 && text.split('.').all(label) {
            return Ok(Self(text));
        }
        Err(format!("`{text}` is no node name; write lower-case letters, digits, `-` and `.`"))
    }
}

impl From<NodeName> for String {
    fn from(name: NodeName) -> Self {
        name.0
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How kube-proxy sends traffic to Services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Selinux {
    /// It warns, and forbids nothing.
    Permissive,
    /// Nothing.
    Leave,
}

impl Cluster {
    /// Reads `cluster.yaml`.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        let cluster: Self = serde_saphyr::from_str(&text).map_err(|error| {
            Failure::new(
                format!("{} is not as it should be: {error}", path.display()),
                "docs/install.md lists what can stand in it",
            )
        })?;
        cluster.check()?;
        Ok(cluster)
    }

    /// The networks must not overlap, with each other or with the nodes.
    pub fn check(&self) -> anyhow::Result<()> {
        let (pods, services) = (self.pod_cidr, self.service_cidr);
        if pods.contains(&services) || services.contains(&pods) {
            return Err(Failure::new(
                format!("podCidr {pods} and serviceCidr {services} overlap"),
                "choose two networks that do not",
            )
            .into());
        }
        for node in &self.nodes {
            let IpAddr::V4(address) = node.address else { continue };
            for (key, network) in [("podCidr", pods), ("serviceCidr", services)] {
                if network.contains(&address) {
                    return Err(Failure::new(
                        format!("{key} {network} has the address of {}, {address}", node.name),
                        format!("choose another {key}"),
                    )
                    .into());
                }
            }
        }
        Ok(())
    }

    /// The cluster's DNS server: the tenth address of Services, as kubeadm has it.
    pub fn dns(&self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.service_cidr.network()) + 10)
    }
}
