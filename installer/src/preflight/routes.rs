//! Networks of the site that overlap the pods' or Services' network.

use ipnet::IpNet;

use crate::failure::Failure;
use crate::host::Host;
use crate::intent::Intent;
use crate::node::facts::{self, Route};
use crate::preflight::earlier::has_begun;
use crate::steps::service_route;

/// A network at one of this node's interfaces lies in one of the cluster's. No
/// machine there could be reached any more.
pub(super) fn problems(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let overlaps = overlaps(host, intent)?;
    let hidden = overlaps.iter().filter(|one| one.hides_neighbours);
    let failure = |one: &Overlap| {
        Failure::new(one.words(), format!("choose another {} in the cluster file", one.key))
    };
    Ok(hidden.map(failure).collect())
}

/// Routes by a router are only warnings. One may be left over from an older cluster
/// with the same networks, and a wide one usually contains only a few addresses that
/// the site uses.
pub(super) fn warnings(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let overlaps = overlaps(host, intent)?;
    let others = overlaps.iter().filter(|one| !one.hides_neighbours);
    let failure = |one: &Overlap| {
        let Overlap { key, network, interface, .. } = one;
        let cure = format!(
            "if machines of the site have such addresses, choose another {key}; if the route is \
             left over from an older cluster, `ip route delete {network} dev {interface}`"
        );
        Failure::new(one.words(), cure)
    };
    Ok(others.map(failure).collect())
}

struct Overlap {
    key: &'static str,
    own: String,
    network: String,
    interface: String,
    hides_neighbours: bool,
}

impl Overlap {
    fn words(&self) -> String {
        let Self { key, own, network, interface, .. } = self;
        format!(
            "{key} {own} overlaps with {network}, to which this node has a route by {interface}"
        )
    }
}

fn overlaps(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Overlap>> {
    // Then routes to pods are the cluster's own.
    if has_begun(host) {
        return Ok(Vec::new());
    }
    let cluster = &intent.cluster;
    let is_ours = host.exists(service_route::PATH);
    let text = host.read("/proc/net/route")?.unwrap_or_default();
    let mut found = Vec::new();
    for Route { interface, network, gateway } in facts::routes(&text) {
        // Another check reports interfaces that an older cluster left.
        if network.prefix_len() == 0 || facts::is_of_containers(interface) {
            continue;
        }
        for (key, own) in [("podCidr", cluster.pod_cidr), ("serviceCidr", cluster.service_cidr)] {
            let own = own.trunc();
            let is_service_route = is_ours && network == own && key == "serviceCidr";
            // Another check reports the node's own address.
            let is_told =
                [own, network].iter().all(|one| IpNet::V4(*one).contains(&intent.address));
            let is_inside = own.contains(&network);
            if (is_inside || network.contains(&own)) && !is_service_route && !is_told {
                found.push(Overlap {
                    key,
                    own: own.to_string(),
                    network: network.to_string(),
                    interface: interface.to_owned(),
                    hides_neighbours: is_inside && gateway.is_none(),
                });
            }
        }
    }
    found.dedup_by(|a, b| (a.key, &a.network, &a.interface) == (b.key, &b.network, &b.interface));
    Ok(found)
}
