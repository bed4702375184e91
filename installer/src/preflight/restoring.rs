//! Whether a master can take a backup's cluster back: as another version, under another
//! name or at another address, its nodes would not find it.

use bundle_format::cluster::Duty;

use crate::backup::Contents;
use crate::failure::Failure;
use crate::host::Host;
use crate::intent::Intent;
use crate::node::join::Master;
use crate::node::reach::answers;
use crate::preflight::earlier::has_begun;

pub(super) fn problems(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let Some(backup) = &intent.restore else { return Ok(Vec::new()) };
    let (of, kubernetes, endpoint) =
        (backup.contents(), &intent.lock().kubernetes, intent.endpoint());
    let mut problems = Vec::new();
    if of.kubernetes != *kubernetes {
        problems.push(Failure::new(
            format!(
                "the backup is of Kubernetes {}, but the bundle has {kubernetes}",
                of.kubernetes
            ),
            "give the bundle of that version with --bundle",
        ));
    }
    if of.master != intent.name && !is_another_master(of, intent) {
        problems.push(Failure::new(
            format!(
                "the backup is of the master {}, but this node would be {}",
                of.master, intent.name
            ),
            "give it that name with --node-name; or, if the masters have one address, the name \
             and the address of another master in `nodes` of the cluster file",
        ));
    }
    if of.endpoint != endpoint {
        problems.push(Failure::new(
            format!(
                "the cluster's nodes look for the API server at {}, but here it would be at \
                 {endpoint}",
                of.endpoint
            ),
            "give this machine that address",
        ));
    }
    // Its other masters may serve it still. Two clusters would have one address.
    if !has_begun(host) && serves(host, &of.endpoint) {
        problems.push(Failure::new(
            format!("the cluster is not lost: its API server at {} answers", of.endpoint),
            "let this node join it with a file of `installer token --for master`; or, if the \
             backup is meant to replace it, stop its masters first",
        ));
    }
    let (theirs, ours) = (&of.cluster, &intent.cluster);
    for (key, theirs, ours) in [
        ("podCidr", theirs.pod_cidr, ours.pod_cidr),
        ("serviceCidr", theirs.service_cidr, ours.service_cidr),
    ] {
        if theirs != ours {
            problems.push(Failure::new(
                format!("the backup's {key} is {theirs}, but the cluster file has {ours}"),
                "write the backup's, or leave out --config",
            ));
        }
    }
    Ok(problems)
}

/// Whether this node is another master of the cluster. With an address that is no single
/// machine's own, any master can begin it again: what the backup has is the cluster's.
fn is_another_master(of: &Contents, intent: &Intent) -> bool {
    let maker = Master { name: of.master.clone(), address: of.master_address };
    let mut nodes = intent.cluster.nodes.iter();
    !maker.owns(&of.endpoint)
        && nodes.any(|node| {
            let is_here = node.name == intent.name && node.address == intent.address;
            is_here && node.role == Some(Duty::Master)
        })
}

/// Whether an API server answers there. A balancer without one accepts connections too. If
/// this node has no curl, a connection counts.
fn serves(host: &Host, endpoint: &str) -> bool {
    let line = format!("curl --insecure --silent --max-time 10 https://{endpoint}/livez");
    answers(host, endpoint) && matches!(host.query(&line).status, Some(0 | 127))
}
