//! Whether the masters' one address can be: its package, its interface and network, the
//! machines between which it moves, and that nobody else has it.
//!
//! Two clusters with the same `routerId` in one network cannot be noticed here: whoever
//! does not hold an address is silent.

use std::net::{IpAddr, Ipv4Addr};

use bundle_format::cluster::{Cluster, ControlPlane};
use ipnet::Ipv4Net;

use crate::failure::Failure;
use crate::host::Host;
use crate::intent::Intent;
use crate::node::paths::{KEEPALIVED_CONF, KUBELET_CONF};
use crate::node::systemd::unit_is;
use crate::node::virtual_address::{KEEPALIVED, VirtualAddress, is_ours};
use crate::node::{facts, neighbour, reach};
use crate::preflight::earlier::has_begun;
use crate::role::Role;
use crate::steps::virtual_address;

/// The program that keepalived's check runs.
const CURL: &str = "/usr/bin/curl";

pub(super) fn problems(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let control_plane = intent.cluster.control_plane.as_ref();
    let Some(control_plane) = control_plane.filter(|_| intent.role == Role::Master) else {
        return Ok(Vec::new());
    };
    let mut found: Vec<Failure> = virtual_address::problem(host, intent)?.into_iter().collect();
    if host.is_this_system() && !host.exists(CURL) {
        found.push(Failure::new(
            format!("keepalived's check asks the API server by {CURL}, which is not here"),
            "install curl, or write the address of your site's balancer as `endpoint`",
        ));
    }
    found.extend(stranger(host, intent));
    found.extend(place(host, intent, control_plane)?);
    found.extend(others_keepalived(host)?);
    found.extend(name(host, intent, control_plane.vip));
    found.extend(taken(host, intent, control_plane.vip)?);
    Ok(found)
}

/// Masters speak to each other by address, so each file must name all of them.
fn stranger(host: &Host, intent: &Intent) -> Option<Failure> {
    let names = |cluster: &Cluster| cluster.masters().any(|address| address == intent.address);
    let entry = format!("{{name: {}, address: {}, role: master}}", intent.name, intent.address);
    if !names(&intent.cluster) {
        return Some(Failure::new(
            format!(
                "`nodes` of the cluster file does not have this node, {}, as a master, and so the \
                 others would not speak to it about controlPlane.vip",
                intent.address
            ),
            format!("write `{entry}` under `nodes`"),
        ));
    }
    // The master that made the join file speaks to those that it names.
    let join = intent.join.as_ref().filter(|_| !host.exists(KUBELET_CONF))?;
    (!join.is_sample() && !names(&join.cluster)).then(|| {
        Failure::new(
            "the running masters do not know this one, and so two of them could hold \
             controlPlane.vip",
            format!(
                "write `{entry}` under `nodes` in the cluster file, run the installer with it on \
                 each master, and bring a new join file"
            ),
        )
    })
}

/// Whether the interface is there, and the address is in its network.
fn place(
    host: &Host,
    intent: &Intent,
    control_plane: &ControlPlane,
) -> anyhow::Result<Option<Failure>> {
    let networks = facts::networks(host)?;
    // A folder has no interfaces.
    if networks.is_empty() && !host.is_this_system() {
        return Ok(None);
    }
    let (vip, interface) = (control_plane.vip, virtual_address::interface(intent, control_plane)?);
    let own: Vec<Ipv4Net> = networks
        .iter()
        .filter(|(name, _)| name == interface)
        .map(|(_, network)| *network)
        .collect();
    if own.is_empty() {
        let mut names: Vec<&str> = networks.iter().map(|(name, _)| name.as_str()).collect();
        names.dedup();
        return Ok(Some(Failure::new(
            format!("controlPlane.interface is {interface}, which has no address of IPv4 here"),
            format!("write one of this node's: {}", names.join(", ")),
        )));
    }
    let around = own.iter().find(|network| network.contains(&vip));
    Ok(match around {
        None => {
            let own: Vec<String> = own.iter().map(|network| network.trunc().to_string()).collect();
            Some(Failure::new(
                format!(
                    "controlPlane.vip {vip} is not in the network of {interface}, {}",
                    own.join(", ")
                ),
                "choose a free address of that network, or the interface of another with \
                 controlPlane.interface",
            ))
        }
        Some(network) if [network.network(), network.broadcast()].contains(&vip) => {
            Some(Failure::new(
                format!(
                    "controlPlane.vip {vip} is the first or last of {}, which is no machine's",
                    network.trunc()
                ),
                "choose another address of that network",
            ))
        }
        Some(_) => None,
    })
}

/// Somebody else uses keepalived here. A file that no running unit reads, such as the
/// package's example, is replaced, and comes back with a reset.
fn others_keepalived(host: &Host) -> anyhow::Result<Option<Failure>> {
    let text = host.read(KEEPALIVED_CONF)?;
    let is_used = unit_is(host, "active", KEEPALIVED)? || unit_is(host, "enabled", KEEPALIVED)?;
    let is_foreign = is_used && text.is_some_and(|text| !is_ours(&text));
    Ok(is_foreign.then(|| {
        Failure::new(
            format!("keepalived is already in use here, with a {KEEPALIVED_CONF} of the site"),
            "if that is not needed: `systemctl disable --now keepalived`; or take `controlPlane` \
             out of the cluster file, and write your own address as `endpoint`",
        )
    }))
}

/// The endpoint must be the address, or a name that leads to it.
fn name(host: &Host, intent: &Intent, vip: Ipv4Addr) -> Option<Failure> {
    let endpoint = intent.endpoint();
    let (name, _) = endpoint.rsplit_once(':')?;
    if let Ok(address) = name.parse::<IpAddr>() {
        return (address != vip).then(|| {
            Failure::new(
                format!(
                    "the nodes look for the API server at {address}, and controlPlane.vip is {vip}"
                ),
                format!("write `vip: {address}`, or leave `controlPlane` out"),
            )
        });
    }
    let all = reach::addresses(host, &endpoint);
    if all.iter().any(|one| one.ip() == vip) {
        return None;
    }
    let mut all: Vec<String> = all.iter().map(|one| one.ip().to_string()).collect();
    all.dedup();
    let leads =
        if all.is_empty() { "nowhere".to_owned() } else { format!("to {}", all.join(", ")) };
    Some(Failure::new(
        format!("endpoint's name {name} leads {leads}, and controlPlane.vip is {vip}"),
        format!(
            "`{vip} {name}` in /etc/hosts, or the site's DNS, of each node; or leave out `endpoint`"
        ),
    ))
}

/// Before there is a cluster, nobody may have the address.
fn taken(host: &Host, intent: &Intent, vip: Ipv4Addr) -> anyhow::Result<Option<Failure>> {
    if intent.join.is_some() || has_begun(host) || VirtualAddress::of(host)?.is_some() {
        return Ok(None);
    }
    Ok(neighbour::has(host, vip)?.then(|| {
        Failure::new(
            format!("another machine already answers for controlPlane.vip {vip}"),
            format!("`ip neigh show to {vip}` says its hardware address; choose a free address"),
        )
    }))
}
