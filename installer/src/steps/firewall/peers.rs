//! The cluster's machines. Some ports are open only for them.

use std::net::IpAddr;

use bundle_format::cluster::{Cluster, Firewall, Interface};
use ipnet::IpNet;

use super::arrival::Ways;
use crate::failure::Failure;
use crate::host::Host;
use crate::intent::Intent;
use crate::node::join::JoinFile;
use crate::node::paths::KUBELET_CONF;
use crate::node::systemd::unit_is;
use crate::node::{facts, registered};

/// Their addresses, or their networks.
pub(super) struct Peers {
    /// The networks; empty if nothing tells the machines from others.
    pub(super) networks: Vec<IpNet>,
    /// Whether a machine of the cluster may be missing here.
    pub(super) are_partial: bool,
}

impl Peers {
    /// The machines in the cluster file, if it names this one, the master and at
    /// least one more; else the node's network, because others may join from
    /// there. And always the machines that are in the cluster already.
    pub(super) fn of(host: &Host, intent: &Intent, ways: &Ways) -> Self {
        let named = intent.cluster.nodes.iter().map(|node| node.address);
        let master = intent.join.as_ref().map(|join| join.master_address);
        let first = master.unwrap_or(intent.address);
        let masters = intent.join.iter().flat_map(JoinFile::all_masters);
        let known: Vec<IpAddr> = named.chain(masters.map(|master| master.address)).collect();
        let mut networks: Vec<IpNet> = Vec::new();
        if !names_all(&intent.cluster, &[first, intent.address]) {
            let own = ways.networks(|name| name == ways.own());
            // A point-to-point link has only a router at its other end.
            if own.is_empty() || own.iter().any(|network| network.prefix_len() > 30) {
                return Self { networks, are_partial: false };
            }
            networks.extend(own.into_iter().map(IpNet::V4));
        }
        if let Some(interface) = &intent.cluster.cni_interface {
            let is_more = |name: &str| matches(interface, name) && name != ways.own();
            let more = ways.networks(is_more);
            networks.extend(more.into_iter().map(IpNet::V4));
        }
        let inside =
            if host.exists(KUBELET_CONF) { registered::addresses(host) } else { Ok(Vec::new()) };
        let are_partial = inside.is_err();
        for address in known.into_iter().chain(inside.unwrap_or_default()) {
            let is_known = networks.iter().any(|network| network.contains(&address));
            if !is_known && address != intent.address {
                networks.push(IpNet::from(address));
            }
        }
        networks.sort();
        networks.dedup();
        Self { networks, are_partial }
    }
}

/// Whether a cluster file names these machines and others. Then it names all of them.
fn names_all(cluster: &Cluster, machines: &[IpAddr]) -> bool {
    let names = |address: &IpAddr| cluster.nodes.iter().any(|node| node.address == *address);
    cluster.nodes.len() > 1 && machines.iter().all(names)
}

/// Whether one of Calico's expressions may match an interface: compared up to the
/// first character with a special meaning.
fn matches(interface: &Interface, name: &str) -> bool {
    interface.to_string().split(',').any(|one| match one.split_once(['.', '*']) {
        Some((beginning, _)) => name.starts_with(beginning),
        None => name == one,
    })
}

/// The failure if the other machines' firewalls would not let this worker in.
pub(crate) fn problem(host: &Host, intent: &Intent) -> anyhow::Result<Option<Failure>> {
    let Some(join) = intent.join.as_ref().filter(|_| !host.exists(KUBELET_CONF)) else {
        return Ok(None);
    };
    // The other machines' firewalls cannot be asked. This node's own stands for
    // them.
    if intent.cluster.firewall != Firewall::Configure
        || !(unit_is(host, "active", "firewalld")? || unit_is(host, "enabled", "firewalld")?)
        || join.cluster.nodes.iter().any(|node| node.address == intent.address)
    {
        return Ok(None);
    }
    let networks = facts::networks(host)?;
    let mut networks = networks.into_iter().map(|(_, network)| IpNet::V4(network));
    let own = networks.find(|network| network.contains(&intent.address));
    let is_beside =
        own.is_none_or(|own| own.prefix_len() > 30 || own.contains(&join.master_address));
    let what = if names_all(&join.cluster, &[join.master_address]) {
        "the cluster file names the cluster's machines, and not this one"
    } else if !is_beside {
        "this node is in another network than the master, and the cluster file does not name it"
    } else {
        return Ok(None);
    };
    Ok(Some(Failure::new(
        format!("{what}: the other nodes' firewalls would block it"),
        format!(
            "write `{{name: {}, address: {}}}` under `nodes` in the master's cluster file, run \
             the installer with it there and on the other nodes, and bring the new join file",
            intent.name, intent.address
        ),
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_means_the_interfaces_that_begin_so() {
        let of = |text: &str, name| matches(&Interface::try_from(text.to_owned()).unwrap(), name);
        assert!(of("eth1", "eth1") && of("ens.*", "ens3") && of("eth1,ens.*", "ens3"));
        assert!(!of("eth1", "eth10") && !of("ens.*", "eth0"));
    }
}
