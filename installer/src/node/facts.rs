//! The facts of a node, found by looking.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::{Context, bail};
use bundle_format::Architecture;
use bundle_format::cluster::NodeName;
use bundle_format::cluster::endpoint::IPV4_ONLY;
use ipnet::Ipv4Net;
use serde::{Serialize, Serializer};

use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::node::family;
use crate::node::os_release::OsRelease;
use crate::node::virtual_address::VirtualAddress;

/// The facts of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// The distribution's name for itself.
    pub system: String,
    /// The fields of its os-release.
    pub release: OsRelease,
    /// The family as a spec names it: `el9`, `openEuler22.03`. None if os-release
    /// names none.
    pub family: Option<String>,
    /// Its processor.
    pub architecture: Architecture,
    /// The kernel's release.
    pub kernel: String,
    /// Its host name as it is.
    pub host_name: String,
    /// Its addresses by interface, without those of containers.
    #[serde(serialize_with = "named")]
    pub addresses: Vec<(String, IpAddr)>,
    /// The interface with the default route.
    pub default_route: Option<String>,
    /// Processors.
    pub processors: usize,
    /// Memory, in bytes.
    pub memory: u64,
    /// Whether its control groups are of version 1.
    pub cgroup_v1: bool,
    /// Swap in use, one line of `/proc/swaps` each.
    pub swaps: Vec<String>,
}

/// The prefixes of interfaces that container networks and virtual machines make.
const CONTAINER_INTERFACES: [&str; 10] =
    ["cali", "cni", "docker", "flannel", "kube-ipvs", "podman", "tunl", "veth", "virbr", "vxlan"];

/// Whether a container network, a container engine or a hypervisor made the
/// interface.
pub(crate) fn is_of_containers(interface: &str) -> bool {
    CONTAINER_INTERFACES.iter().any(|prefix| interface.starts_with(prefix))
}

/// Whether the node has control groups of version 1 and not of version 2 alone, whose
/// file is then at the top (kernel.org, "Control Group v2").
fn has_cgroup_v1(host: &Host) -> anyhow::Result<bool> {
    let second = host.read("/sys/fs/cgroup/cgroup.controllers")?;
    Ok(second.is_none() && host.read("/proc/cgroups")?.is_some())
}

impl Facts {
    /// Looks at the node.
    pub fn gather(host: &Host) -> anyhow::Result<Self> {
        let release = OsRelease::of(host)?;
        let cpuinfo = host.read("/proc/cpuinfo")?.unwrap_or_default();
        let processors = cpuinfo.lines().filter(|line| line.starts_with("processor")).count();
        let swaps = host.read("/proc/swaps")?.unwrap_or_default();
        let text = |path: &str| -> anyhow::Result<String> {
            Ok(host.read(path)?.unwrap_or_default().trim().to_owned())
        };
        Ok(Self {
            system: release.get("PRETTY_NAME").unwrap_or("an unknown system").to_owned(),
            family: family::name(&release),
            release,
            architecture: std::env::consts::ARCH.parse().context("finding the architecture")?,
            kernel: text("/proc/sys/kernel/osrelease")?,
            host_name: text("/proc/sys/kernel/hostname")?,
            addresses: networks(host)?
                .into_iter()
                .map(|(name, network)| (name, network.addr().into()))
                .collect(),
            default_route: default_route(&text("/proc/net/route")?),
            processors: processors.max(1),
            memory: memory(&text("/proc/meminfo")?),
            cgroup_v1: has_cgroup_v1(host)?,
            swaps: swaps.lines().skip(1).map(str::to_owned).collect(),
        })
    }

    /// The node's address: the wanted one, or the only candidate besides the address
    /// that the masters share.
    pub fn address(
        &self,
        wanted: Option<IpAddr>,
        shared: Option<IpAddr>,
    ) -> anyhow::Result<IpAddr> {
        if let Some(wanted) = wanted {
            if self.addresses.iter().any(|(_, address)| *address == wanted) {
                return Ok(wanted);
            }
            return Err(Failure::new(
                format!("this node does not have the address {wanted}; it has {}", self.listed()),
                "give one of these with --address",
            )
            .into());
        }
        let on = |route: Option<&String>| -> Vec<IpAddr> {
            let addresses = self.addresses.iter();
            let meant = addresses.filter(|(name, _)| route.is_none_or(|route| route == name));
            meant.map(|(_, address)| *address).collect()
        };
        let mut meant = on(self.default_route.as_ref());
        if meant.is_empty() {
            meant = on(None);
        }
        // A master may hold the address of the API server besides its own.
        if meant.len() > 1 {
            meant.retain(|address| Some(*address) != shared);
        }
        match meant.as_slice() {
            [only] => Ok(*only),
            [] => bail!(Failure::new(
                format!("this node has no address of IPv4, and {IPV4_ONLY}"),
                "give it one on the network of the other nodes"
            )),
            _ => bail!(Failure::new(
                format!("this node has several addresses: {}", self.listed()),
                "name the one by which the other nodes reach it, with --address"
            )),
        }
    }

    /// The node's name: the wanted one, or the host name in lower case, as
    /// Kubernetes requires.
    pub fn node_name(&self, wanted: Option<NodeName>) -> anyhow::Result<NodeName> {
        if let Some(wanted) = wanted {
            return Ok(wanted);
        }
        NodeName::try_from(self.host_name.to_lowercase()).map_err(|error| {
            Failure::new(format!("the host name: {error}"), "give a name with --node-name").into()
        })
    }

    /// 4 and 18 of the kernel `4.18.0-553.el8_10.x86_64`; none if it has no such
    /// numbers.
    pub(crate) fn kernel_version(&self) -> Option<[u32; 2]> {
        kernel_version(&self.kernel)
    }

    /// The interface that has an address.
    pub fn interface(&self, address: IpAddr) -> Option<&str> {
        self.addresses.iter().find(|(_, one)| *one == address).map(|(name, _)| name.as_str())
    }

    /// Each fact with its name, for people.
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
        vec![
            ("system", self.system.clone()),
            ("family", or_none(&self.family)),
            ("os-release", self.release.words()),
            ("architecture", self.architecture.to_string()),
            ("kernel", self.kernel.clone()),
            ("host name", self.host_name.clone()),
            ("addresses", self.listed()),
            ("default route", or_none(&self.default_route)),
            ("processors", self.processors.to_string()),
            ("memory", format!("{} MB", self.memory >> 20)),
            ("swap", if self.swaps.is_empty() { "off" } else { "on" }.to_owned()),
        ]
    }

    fn listed(&self) -> String {
        let shown = self.addresses.iter().map(|(name, address)| format!("{address} ({name})"));
        let shown: Vec<String> = shown.collect();
        if shown.is_empty() { "none".to_owned() } else { shown.join(", ") }
    }
}

fn kernel_version(release: &str) -> Option<[u32; 2]> {
    let mut parts = release.split(|letter: char| !letter.is_ascii_digit());
    Some([parts.next()?.parse().ok()?, parts.next()?.parse().ok()?])
}

/// The node's addresses by interface, each with its network, without those of
/// containers, and without the address that keepalived moves between masters: that is
/// no node's own.
pub(crate) fn networks(host: &Host) -> anyhow::Result<Vec<(String, Ipv4Net)>> {
    let mut networks = networks_of(&interfaces(host)?);
    if let Some(moving) = VirtualAddress::of(host)? {
        networks.retain(|(_, network)| network.addr() != moving.address);
    }
    Ok(networks)
}

/// What `ip` prints. In a folder below `--root` there may be no `ip`, and no
/// addresses. On a running node a failing `ip` is an error, and does not mean that
/// there are no addresses.
fn interfaces(host: &Host) -> anyhow::Result<String> {
    let command = Command::of("ip -o -4 addr show");
    let said = host.answer(&command)?;
    if said.succeeded() || said.status == Some(127) && !host.is_this_system() {
        return Ok(said.stdout);
    }
    Err(Failure::new(
        format!("`{command}` {}", said.end()),
        "this node's addresses are unknown without it: fix that; `ip` is in the package iproute",
    )
    .into())
}

/// Serialises addresses as objects with named fields.
fn named<S: Serializer>(addresses: &[(String, IpAddr)], serializer: S) -> Result<S::Ok, S::Error> {
    let named = addresses.iter().map(
        |(interface, address)| serde_json::json!({"interface": interface, "address": address}),
    );
    serializer.collect_seq(named)
}

/// Reads what `ip -o -4 addr show` prints: `2: eth0    inet 10.0.0.1/24 brd …`.
fn networks_of(text: &str) -> Vec<(String, Ipv4Net)> {
    let network = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let interface = words.nth(1)?;
        let word = words.nth(1)?;
        // The address of a point-to-point link has no prefix.
        let alone = || word.parse::<Ipv4Addr>().map(Ipv4Net::from);
        let network = word.parse::<Ipv4Net>().or_else(|_| alone()).ok()?;
        let ours = network.addr().is_loopback() || is_of_containers(interface);
        (!ours).then(|| (interface.to_owned(), network))
    };
    text.lines().filter_map(network).collect()
}

/// A route of this node.
pub(crate) struct Route<'a> {
    /// The interface.
    pub(crate) interface: &'a str,
    /// The destination.
    pub(crate) network: Ipv4Net,
    /// The router; none if the network is directly at the interface.
    pub(crate) gateway: Option<Ipv4Addr>,
}

/// The routes of `/proc/net/route` (proc(5)): the second column is the destination,
/// the third the router, the eighth the mask, each in the machine's byte order.
pub(crate) fn routes(text: &str) -> impl Iterator<Item = Route<'_>> {
    text.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let address = |index: usize| {
            let number = u32::from_str_radix(fields.get(index)?, 16).ok()?;
            Some(Ipv4Addr::from(number.to_ne_bytes()))
        };
        let network = Ipv4Net::with_netmask(address(1)?, address(7)?).ok()?;
        let gateway = address(2)?;
        Some(Route {
            interface: fields.first()?,
            network: network.trunc(),
            gateway: (!gateway.is_unspecified()).then_some(gateway),
        })
    })
}

/// The interface of the default route.
pub(crate) fn default_route(text: &str) -> Option<String> {
    let mut routes = routes(text).filter(|route| route.network.prefix_len() == 0);
    routes.next().map(|route| route.interface.to_owned())
}

/// Reads `/proc/meminfo`: `MemTotal: 16316412 kB`.
fn memory(text: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:")).unwrap_or_default();
    line.split_ascii_whitespace()
        .next()
        .and_then(|word| word.parse::<u64>().ok())
        .unwrap_or(0)
        .saturating_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_containers_do_not_count() {
        let text = "1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever\n\
                    2: eth0    inet 192.168.77.11/24 scope global eth0\\\n\
                    3: cni0    inet 10.244.0.1/24 brd 10.244.0.255 scope global cni0\\\n";
        let [(name, network)] = &networks_of(text)[..] else { panic!("one address") };
        assert_eq!((name.as_str(), network.to_string().as_str()), ("eth0", "192.168.77.11/24"));
        let line = "2: ppp0    inet 10.0.0.2 peer 10.0.0.1/32 scope global ppp0\\\n";
        for (text, network) in [(text, "192.168.77.11/24"), (line, "10.0.0.2/32")] {
            let networks = networks_of(text);
            let networks: Vec<String> = networks.iter().map(|(_, one)| one.to_string()).collect();
            assert_eq!(networks, [network]);
        }
    }

    #[test]
    fn kernels_are_told_by_two_numbers() {
        for (release, version) in [
            ("3.10.0-1160.el7.x86_64", Some([3, 10])),
            ("4.18.0-553.el8_10.x86_64", Some([4, 18])),
            ("5.13-rc1", Some([5, 13])),
            ("10.0", Some([10, 0])),
            ("6", None),
            ("mine", None),
        ] {
            assert_eq!(kernel_version(release), version, "{release}");
        }
    }

    #[test]
    fn memory_is_a_number_or_none() {
        assert_eq!(memory("MemFree: 1 kB\nMemTotal:  2 kB\n"), 2048);
        assert_eq!(memory("MemTotal: 18446744073709551615 kB\n"), u64::MAX);
        assert_eq!(memory("MemTotal: 99999999999999999999 kB\n"), 0);
        assert_eq!(memory(""), 0);
    }

    #[test]
    fn the_default_route_has_no_destination() {
        let text = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n\
                    eth0\t004DA8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\n\
                    eth1\t00000000\t014DA8C0\t0003\t0\t0\t0\t00000000\n";
        assert_eq!(default_route(text).as_deref(), Some("eth1"));
        assert_eq!(default_route("Iface\n"), None);
    }
}
