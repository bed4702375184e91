//! The lab's network: a bridge in a network namespace of its own, to which each
//! node's namespace has one link. Nothing else is in it, so no node has a way
//! out, and the machine's own network is not touched.

use std::fmt;
use std::net::Ipv4Addr;
use std::process::Command;

use crate::NAME;
use crate::command::run;

/// The namespace of the bridge: the operator's side of the nodes' network.
pub const LAN: &str = NAME;
/// The operator's address in it.
pub const OPERATOR: Ipv4Addr = Ipv4Addr::new(192, 168, 77, 1);
/// An address of the nodes' network that nobody has.
pub const NOBODY: Ipv4Addr = Ipv4Addr::new(192, 168, 77, 254);
const PREFIX: u8 = 24;
const BRIDGE: &str = "br0";

/// What a node's routing table says of the rest of the world.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    clap::ValueEnum,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum DefaultRoute {
    /// Nothing: `connect` fails at once.
    #[default]
    None,
    /// A gateway that nobody is: packets vanish.
    Blackhole,
}

/// The address of the node with a number from 1 on.
pub fn address(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(192, 168, 77, 10 + number)
}

/// The network namespace of a node.
pub fn namespace(node: &str) -> String {
    format!("{NAME}-{node}")
}

/// Makes the bridge.
pub(crate) fn create() -> anyhow::Result<()> {
    ip(&["netns", "add", LAN])?;
    within(LAN, &["link", "set", "lo", "up"])?;
    within(LAN, &["link", "add", BRIDGE, "type", "bridge"])?;
    within(LAN, &["addr", "add", &format!("{OPERATOR}/{PREFIX}"), "dev", BRIDGE])?;
    within(LAN, &["link", "set", BRIDGE, "up"])
}

/// Makes the bridge's namespace the gateway that [`NOBODY`] is.
pub(crate) fn become_nobody() -> anyhow::Result<()> {
    within(LAN, &["addr", "replace", &format!("{NOBODY}/{PREFIX}"), "dev", BRIDGE])
}

/// Gives a node that boots a new namespace, with one interface, `eth0`. What an earlier
/// boot had in its namespace is gone: interfaces, routes, rules, settings. A cable that
/// was pulled stays so. The interface has the same hardware address after each boot, as that
/// of a machine has: other nodes remember an address for up to a minute.
pub(crate) fn attach(node: &str, address: Ipv4Addr, route: DefaultRoute) -> anyhow::Result<()> {
    let (inner, outer) = (namespace(node), link(node));
    let mut state = "up";
    if namespaces().contains(&inner) {
        let shown = run(Command::new("ip").args(["-n", LAN, "-o", "link", "show", &outer]))?;
        state = if shown.contains(",UP") { "up" } else { "down" };
        // The kernel removes a namespace later, and its links with it.
        within(LAN, &["link", "delete", &outer])?;
        remove(&inner)?;
    }
    ip(&["netns", "add", &inner])?;
    within(&inner, &["link", "set", "lo", "up"])?;
    let [a, b, c, d] = address.octets();
    let own = format!("02:00:{a:02x}:{b:02x}:{c:02x}:{d:02x}");
    ip(&[
        "link", "add", "eth0", "address", &own, "netns", &inner, "type", "veth", "peer", "name",
        &outer, "netns", LAN,
    ])?;
    within(&inner, &["addr", "add", &format!("{address}/{PREFIX}"), "dev", "eth0"])?;
    within(&inner, &["link", "set", "eth0", "up"])?;
    within(LAN, &["link", "set", &outer, "master", BRIDGE, state])?;
    match route {
        DefaultRoute::None => Ok(()),
        DefaultRoute::Blackhole => {
            within(&inner, &["route", "add", "default", "via", &NOBODY.to_string()])
        }
    }
}

/// Gives a virtual machine its link, which is its tap.
pub(crate) fn attach_tap(node: &str) -> anyhow::Result<()> {
    let link = link(node);
    within(LAN, &["tuntap", "add", &link, "mode", "tap"])?;
    within(LAN, &["link", "set", &link, "master", BRIDGE, "up"])
}

/// What systemd-networkd is to do in a virtual machine (systemd.network(5)).
pub(crate) fn networkd_file(address: Ipv4Addr, route: DefaultRoute) -> String {
    let gateway = match route {
        DefaultRoute::None => String::new(),
        DefaultRoute::Blackhole => format!("Gateway={NOBODY}\n"),
    };
    format!("[Match]\nName=en* eth*\n[Network]\nAddress={address}/{PREFIX}\n{gateway}")
}

/// Pulls a node's cable, or plugs it in again.
pub(crate) fn connect(node: &str, connected: bool) -> anyhow::Result<()> {
    within(LAN, &["link", "set", &link(node), if connected { "up" } else { "down" }])
}

/// Removes a namespace of the lab's, and with it the links in it.
pub(crate) fn remove(namespace: &str) -> anyhow::Result<()> {
    ip(&["netns", "delete", namespace])
}

/// The namespaces of any lab on this machine.
pub(crate) fn namespaces() -> Vec<String> {
    let entries = std::fs::read_dir("/run/netns").into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with(NAME)).collect()
}

/// The bridge's end of a node's link.
pub fn link(node: &str) -> String {
    format!("to-{node}")
}

fn within(namespace: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let mut all = vec!["-n", namespace];
    all.extend(arguments);
    ip(&all)
}

fn ip(arguments: &[&str]) -> anyhow::Result<()> {
    run(Command::new("ip").args(arguments)).map(drop)
}

impl fmt::Display for DefaultRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Blackhole => "blackhole",
        })
    }
}
