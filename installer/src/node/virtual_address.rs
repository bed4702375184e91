//! The masters' one address, by what keepalived was told on this node.

use std::net::Ipv4Addr;

use anyhow::bail;

use crate::exec::Command;
use crate::host::Host;
use crate::node::paths::KEEPALIVED_CONF;

/// keepalived's unit and package.
pub(crate) const KEEPALIVED: &str = "keepalived";
/// How a configuration of ours begins.
const MARK: &str = "# Written by kubeferry";

/// The masters' one address on a master.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VirtualAddress {
    /// The address.
    pub(crate) address: Ipv4Addr,
    /// The interface that has it while this master holds it.
    pub(crate) interface: String,
    /// The other masters to which keepalived speaks.
    pub(crate) peers: Vec<Ipv4Addr>,
}

impl VirtualAddress {
    /// What the installer told keepalived; none if it did not.
    pub(crate) fn of(host: &Host) -> anyhow::Result<Option<Self>> {
        Ok(host.read(KEEPALIVED_CONF)?.as_deref().and_then(Self::parse))
    }

    fn parse(text: &str) -> Option<Self> {
        if !is_ours(text) {
            return None;
        }
        let mut lines =
            text.lines().map(str::trim).skip_while(|line| !line.starts_with("virtual_ip"));
        let mut words = lines.nth(1)?.split_ascii_whitespace();
        let address = words.next()?.parse().ok()?;
        let interface = words.nth(1)?.to_owned();
        let peers =
            text.lines().map(str::trim).skip_while(|line| !line.starts_with("unicast_peer"));
        let peers = peers.skip(1).map_while(|line| line.parse().ok()).collect();
        Some(Self { address, interface, peers })
    }

    /// Whether this master holds it now.
    pub(crate) fn is_held(&self, host: &Host) -> anyhow::Result<bool> {
        is_held(host, self.address)
    }
}

/// Whether the installer wrote this configuration of keepalived.
pub(crate) fn is_ours(text: &str) -> bool {
    text.starts_with(MARK)
}

/// Whether this node has an address.
pub(crate) fn is_held(host: &Host, address: Ipv4Addr) -> anyhow::Result<bool> {
    let command = Command::of("ip -o -4 addr show");
    let said = host.answer(&command)?;
    // A folder may have no such program.
    if said.status == Some(127) && !host.is_this_system() {
        return Ok(false);
    }
    if !said.succeeded() {
        bail!("`{command}` {}", said.end());
    }
    let is = |word: &str| word.split('/').next() == Some(address.to_string().as_str());
    Ok(said.stdout.lines().any(|line| line.split_ascii_whitespace().nth(3).is_some_and(is)))
}
