//! Whether a master can take a backup's cluster back: as another version, under another
//! name or at another address, its nodes would not find it.

use crate::failure::Failure;
use crate::host::Host;
use crate::intent::Intent;
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
    if of.master != intent.name {
        problems.push(Failure::new(
            format!(
                "the backup is of the master {}, but this node would be {}",
                of.master, intent.name
            ),
            "give it that name with --node-name",
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
    if !has_begun(host) && answers(host, &of.endpoint) {
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
