//! Whether a node fits the cluster of its join file.

use bundle_format::cluster::Cluster;

use crate::failure::Failure;
use crate::host::Host;
use crate::intent::Intent;
use crate::node::paths;

/// A node that has joined needs no token any more. It is compared with how it
/// joined.
pub(super) fn problems(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let Some(join) = intent.join.as_ref().filter(|_| !host.exists(paths::KUBELET_CONF)) else {
        return Ok(Vec::new());
    };
    let (theirs, ours) = (&join.cluster, &intent.cluster);
    // Masters that differ in it would hold two addresses, or one of them twice.
    let of = |cluster: &Cluster| match &cluster.control_plane {
        Some(own) => format!("{} with the number {}", own.vip, own.router_id()),
        None => "nothing".to_owned(),
    };
    let pairs = [
        ("controlPlane", of(theirs), of(ours)),
        ("podCidr", theirs.pod_cidr.to_string(), ours.pod_cidr.to_string()),
        ("serviceCidr", theirs.service_cidr.to_string(), ours.service_cidr.to_string()),
        ("proxyMode", theirs.proxy_mode.to_string(), ours.proxy_mode.to_string()),
        ("cgroupDriver", theirs.cgroup_driver.to_string(), ours.cgroup_driver.to_string()),
    ];
    let differing = pairs.into_iter().filter(|(_, theirs, ours)| theirs != ours);
    let differing = differing.map(|(key, theirs, ours)| {
        Failure::new(
            format!("{key} is {theirs} in the cluster, by its join file, and {ours} is asked for"),
            "leave out --config: the join file has all that this node needs",
        )
    });
    let version = join.control_plane.as_ref().map(|own| &own.kubernetes);
    let bundle = &intent.lock().kubernetes;
    let version = version.filter(|theirs| *theirs != bundle).map(|theirs| {
        Failure::new(
            format!("the cluster's masters have Kubernetes {theirs}, and the bundle has {bundle}"),
            "give the bundle of that version with --bundle",
        )
    });
    Ok(join.problem().into_iter().chain(version).chain(differing).collect())
}
