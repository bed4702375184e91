//! The cluster's machines, which are let in where others are not.

use std::net::IpAddr;

use bundle_format::cluster::{Cluster, Firewall, Interface};
use ipnet::IpNet;

use super::arrival::Ways;
use crate::failure::Failure;
use crate::host::Host;
use crate::intent::Intent;
use crate::node::facts;
use crate::node::paths::KUBELET_CONF;
use crate::node::registered;
use crate::node::systemd::unit_is;

/// Their addresses, or their networks.
pub(super) struct Peers {
    /// Empty where nothing tells the machines from others.
    pub(super) networks: Vec<IpNet>,
    /// Whether these may lack a machine that is in the cluster already.
    pub(super) are_partial: bool,
}

impl Peers {
    /// Those in the cluster file where it names this machine, the master, and one more at
    /// least; else the node's network, in which others may join. And those that are in
    /// the cluster, whatever a file says.
    pub(super) fn of(host: &Host, intent: &Intent, ways: &Ways) -> Self {
        let named = intent.cluster.nodes.iter().map(|node| node.address);
        let master = intent.join.as_ref().map(|join| join.master_address);
        let first = master.unwrap_or(intent.address);
        let known: Vec<IpAddr> = named.chain(master.map(IpAddr::V4)).collect();
        let mut networks: Vec<IpNet> = Vec::new();
        if !names_all(&intent.cluster, &[first.into(), intent.address.into()]) {
            let own = ways.networks(|name| name == ways.own());
            // On the other end of a line between two is nobody but the router.
            if own.is_empty() || own.iter().any(|network| network.prefix_len() > 30) {
                return Self { networks, are_partial: false };
            }
            networks.extend(own.into_iter().map(IpNet::V4));
        }
        if let Some(interface) = &intent.cluster.cni_interface {
            let more = ways.networks(|name| matches(interface, name));
            networks.extend(more.into_iter().map(IpNet::V4));
        }
        let inside =
            if host.exists(KUBELET_CONF) { registered::addresses(host) } else { Ok(Vec::new()) };
        let are_partial = inside.is_err();
        for address in known.into_iter().chain(inside.unwrap_or_default()) {
            let is_known = networks.iter().any(|network| network.contains(&address));
            if !is_known && address != IpAddr::V4(intent.address) {
                networks.push(IpNet::from(address));
            }
        }
        networks.sort();
        networks.dedup();
        Self { networks, are_partial }
    }
}

/// Whether a cluster file names these machines and others, and so all that there are.
fn names_all(cluster: &Cluster, machines: &[IpAddr]) -> bool {
    let names = |address: &IpAddr| cluster.nodes.iter().any(|node| node.address == *address);
    cluster.nodes.len() > 1 && machines.iter().all(names)
}

/// Whether an expression of Calico's may mean an interface: by what stands before the
/// first sign that may mean more than itself.
fn matches(interface: &Interface, name: &str) -> bool {
    interface.to_string().split(',').any(|one| match one.split_once(['.', '*']) {
        Some((beginning, _)) => name.starts_with(beginning),
        None => name == one,
    })
}

/// A worker that the firewalls of the others would not let in.
pub(crate) fn problem(host: &Host, intent: &Intent) -> anyhow::Result<Option<Failure>> {
    let Some(join) = intent.join.as_ref().filter(|_| !host.exists(KUBELET_CONF)) else {
        return Ok(None);
    };
    // Of the others' firewalls this one's is the best witness.
    if intent.cluster.firewall != Firewall::Configure
        || !(unit_is(host, "active", "firewalld")? || unit_is(host, "enabled", "firewalld")?)
        || join.cluster.nodes.iter().any(|node| node.address == intent.address)
    {
        return Ok(None);
    }
    let networks = facts::networks(host)?;
    let has = |address| move |network: &&ipnet::Ipv4Net| network.contains(&address);
    let own = networks.iter().map(|(_, network)| network).find(has(intent.address));
    let is_beside =
        own.is_none_or(|own| own.prefix_len() > 30 || own.contains(&join.master_address));
    let what = if names_all(&join.cluster, &[join.master_address.into()]) {
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
