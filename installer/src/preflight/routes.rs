//! Networks of the site that pods or Services would hide.

use super::has_begun;
use crate::facts;
use crate::failure::Failure;
use crate::host::Host;
use crate::step::Intent;
use crate::steps::service_route;

/// A network that this node has a route to lies in one of the cluster's, so that
/// machines there could not be reached any more, or pods not.
pub(super) fn problems(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    // By then routes to pods are the cluster's own.
    if has_begun(host) {
        return Ok(Vec::new());
    }
    let cluster = &intent.cluster;
    let is_ours = host.exists(service_route::PATH);
    let text = host.read("/proc/net/route")?.unwrap_or_default();
    let mut found = Vec::new();
    for (interface, network) in facts::routes(&text) {
        let own = [("podCidr", cluster.pod_cidr), ("serviceCidr", cluster.service_cidr)];
        for (key, other) in own {
            let other = other.trunc();
            let overlaps = network.contains(&other) || other.contains(&network);
            let is_service_route = is_ours && network == other && key == "serviceCidr";
            // The node's own address there is told by itself.
            let is_told = other.contains(&intent.address) && network.contains(&intent.address);
            if network.prefix_len() > 0 && overlaps && !is_service_route && !is_told {
                found.push(Failure::new(
                    format!("{key} {other} overlaps with {network}, to which this node has a route by {interface}"),
                    format!(
                        "choose another {key} in the cluster file; or, if the route is left over: \
                         `ip route delete {network} dev {interface}`"
                    ),
                ));
            }
        }
    }
    found.dedup_by_key(|one| one.to_string());
    Ok(found)
}
