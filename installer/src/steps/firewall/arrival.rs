//! The zones in which packets arrive: the zone that lists their sender as a source,
//! before all others; else the zone of the interface by which they come.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use super::zones::{Sources, Zones};
use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::node::facts;
use crate::node::systemd::unit_is;
use crate::receipt::firewalld::Place;

/// The interfaces by which packets come to the node.
pub(crate) struct Ways {
    networks: Vec<(String, Ipv4Net)>,
    /// The interface with the node's address.
    own: String,
    /// The interface of the default route, by which outsiders come.
    outside: Option<String>,
    /// The zones that the network's configuration gives to interfaces at boot.
    kept: BTreeMap<String, String>,
}

impl Ways {
    /// Finds them, for a node with this address.
    pub(crate) fn of(host: &Host, address: IpAddr) -> anyhow::Result<Self> {
        let networks = facts::networks(host)?;
        let own = networks.iter().find(|(_, network)| IpAddr::from(network.addr()) == address);
        let own = own.map(|(name, _)| name.clone()).unwrap_or_default();
        let routes = host.read("/proc/net/route")?.unwrap_or_default();
        let mut kept = BTreeMap::new();
        for (name, _) in &networks {
            if let Some(zone) = kept_zone(host, name)? {
                kept.insert(name.clone(), zone);
            }
        }
        Ok(Self { networks, own, outside: facts::default_route(&routes), kept })
    }

    /// The interface with the node's address.
    pub(crate) fn own(&self) -> &str {
        &self.own
    }

    /// The networks of the interfaces that `is` picks.
    pub(super) fn networks(&self, is: impl Fn(&str) -> bool) -> Vec<Ipv4Net> {
        let found = self.networks.iter().filter(|(name, _)| is(name));
        found.map(|(_, network)| network.trunc()).collect()
    }

    /// The interface by which packets of a sender come: the one on its network,
    /// else the one by which the kernel sends to it.
    fn from(&self, host: &Host, sender: &IpNet) -> anyhow::Result<String> {
        let is_on = |network: &Ipv4Net| IpNet::V4(*network).contains(sender);
        let on = self.networks.iter().filter(|(_, network)| is_on(network));
        if let Some((name, _)) = on.max_by_key(|(_, network)| network.prefix_len()) {
            return Ok(name.clone());
        }
        let question = Command::of("ip -o route get").with(sender.addr().to_string());
        let said = host.answer(&question)?;
        // Without a route to the sender there is no way from it either.
        let way = if said.succeeded() { said.stdout.as_str() } else { "" };
        let mut words = way.split_ascii_whitespace().skip_while(|word| *word != "dev");
        Ok(words.nth(1).unwrap_or(&self.own).to_owned())
    }
}

/// The zone that NetworkManager, or the older network scripts, give to an interface
/// when they start it.
fn kept_zone(host: &Host, interface: &str) -> anyhow::Result<Option<String>> {
    let is_named = |zone: &String| !zone.is_empty() && zone != "--";
    if unit_is(host, "active", "NetworkManager")? {
        let device = format!("nmcli --get-values GENERAL.CON-UUID device show {interface}");
        let connection = nmcli(host, &device)?;
        if is_named(&connection) {
            let zone = format!("nmcli --get-values connection.zone connection show {connection}");
            return Ok(Some(nmcli(host, &zone)?).filter(is_named));
        }
    }
    let path = format!("/etc/sysconfig/network-scripts/ifcfg-{interface}");
    let text = host.read(path)?.unwrap_or_default();
    let zone = text.lines().rev().find_map(|line| line.trim().strip_prefix("ZONE="));
    let zone = zone.map(|zone| zone.trim().trim_matches(['"', '\'']).to_owned());
    Ok(zone.filter(is_named))
}

fn nmcli(host: &Host, question: &str) -> anyhow::Result<String> {
    let command = Command::of(question);
    let said = host.answer(&command)?;
    // NetworkManager does not know the interface, or is not installed.
    if said.succeeded() || matches!(said.status, Some(10 | 127)) {
        return Ok(said.stdout.lines().next().unwrap_or_default().trim().to_owned());
    }
    Err(Failure::new(
        format!("`{command}` {}", said.end()),
        "without it nobody can tell the zone that an interface gets at boot: see why with \
         `systemctl status NetworkManager`",
    )
    .into())
}

/// The zones in one place: at work, or in files.
pub(crate) struct Arrival<'a> {
    zones: &'a Zones,
    place: Place,
    /// The zones at work, if these are the ones in files.
    at_work: Option<&'a Zones>,
    bound: Vec<Sources>,
    ways: &'a Ways,
    default: &'a str,
}

impl<'a> Arrival<'a> {
    /// Looks at the zones in a place.
    pub(crate) fn at(
        host: &Host,
        (place, zones): (Place, &'a Zones),
        at_work: Option<&'a Zones>,
        ways: &'a Ways,
        default: &'a str,
    ) -> anyhow::Result<Self> {
        let bound = zones.by_source(host, place)?;
        let at_work = at_work.filter(|_| place == Place::Files);
        Ok(Self { zones, place, at_work, bound, ways, default })
    }

    /// The zones with sources.
    pub(super) fn bound(&self) -> &[Sources] {
        &self.bound
    }

    /// The zones in which packets from `sender` arrive, without those that let
    /// everything through.
    pub(crate) fn of(&self, host: &Host, sender: &IpNet) -> anyhow::Result<BTreeSet<String>> {
        let (mut found, mut is_whole) = (BTreeSet::new(), false);
        for Sources { zone, networks, has_others } in &self.bound {
            is_whole |= networks.iter().any(|source| source.contains(sender));
            let meets = |one: &IpNet| one.contains(sender) || sender.contains(one);
            if *has_others || networks.iter().any(meets) {
                found.insert(zone.clone());
            }
        }
        if !is_whole {
            found.extend(self.of_interface(&self.ways.from(host, sender)?));
        }
        Ok(self.without_open(found))
    }

    /// The zones in which packets from anybody arrive: those of the interfaces by
    /// which outsiders come, and of sources that the site lets in at all.
    pub(crate) fn of_all(&self) -> BTreeSet<String> {
        let interfaces = [Some(&self.ways.own), self.ways.outside.as_ref()];
        let mut found: BTreeSet<String> =
            interfaces.into_iter().flatten().flat_map(|name| self.of_interface(name)).collect();
        let bound = self.bound.iter().map(|one| &one.zone);
        found.extend(bound.filter(|zone| self.zones.target(zone) == "default").cloned());
        self.without_open(found)
    }

    /// The zones of an interface. In files: the one that it gets at boot, and the
    /// one that it has now, because a program that we do not know may put it
    /// there.
    pub(crate) fn of_interface(&self, interface: &str) -> BTreeSet<String> {
        let kept = self.ways.kept.get(interface).filter(|_| self.place != Place::Work);
        let listed = self.zones.of_interface(interface);
        let now = self.at_work.map(|zones| zones.of_interface(interface).unwrap_or(self.default));
        let own = kept.map(String::as_str).or(listed);
        let found = own.into_iter().chain(now).filter(|zone| self.zones.has_zone(zone));
        let found: BTreeSet<String> = found.map(str::to_owned).collect();
        if found.is_empty() { BTreeSet::from([self.default.to_owned()]) } else { found }
    }

    fn without_open(&self, mut zones: BTreeSet<String>) -> BTreeSet<String> {
        zones.retain(|zone| !self.zones.takes_all(zone));
        zones
    }
}
