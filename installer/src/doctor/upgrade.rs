//! An upgrade that has not ended, and a node that it left without new pods.

use std::time::{Duration, SystemTime};

use anyhow::Context;

use super::finding::Finding;
use crate::host::Host;
use crate::node::kubectl::kubectl;
use crate::node::paths::KUBELET_CONF;
use crate::node::registered;
use crate::receipt::{Intention, Stage, intentions, upgrade};
use crate::steps::upgrade::copy::COPY;

/// How long an upgrade may stay unfinished without a word.
const GRACE: Duration = Duration::from_secs(24 * 60 * 60);

/// An upgrade, or the way back from one, was interrupted.
pub(super) fn in_the_middle(host: &Host) -> anyhow::Result<Option<Finding>> {
    let Some(open) = upgrade(host.lines()) else { return Ok(None) };
    Ok(match open.stage {
        Stage::Begun => Some(Finding::new(
            format!("the upgrade of this node {open} has not ended"),
            "go on with the same line and bundle; or back with ./installer upgrade --back",
        )),
        Stage::Returning => Some(Finding::new(
            format!("the way back from the upgrade of this node {open} has not ended"),
            "./installer upgrade --back",
        )),
        _ => None,
    })
}

/// An upgrade was made more than a day ago, and can still be taken back. Only a person ends
/// that: the clock of a node without internet may be wrong.
pub(super) fn unfinished(host: &Host) -> anyhow::Result<Option<Finding>> {
    let Some(open) = upgrade(host.lines()).filter(|open| open.stage == Stage::Made) else {
        return Ok(None);
    };
    let begun = host.path(COPY).metadata().and_then(|copy| copy.modified());
    let begun = begun.with_context(|| format!("looking at {COPY}"))?;
    let age = SystemTime::now().duration_since(begun).unwrap_or_default();
    Ok((age > GRACE).then(|| {
        Finding::new(
            format!(
                "the upgrade of this node {open} was begun {} hours ago and is not declared \
                 finished: what it keeps for the way back takes room",
                age.as_secs() / 3600
            ),
            "./installer upgrade --finish, on all masters first, if all is well",
        )
    }))
}

/// The installer has cordoned the node last, and it still is.
pub(super) fn cordoned(host: &Host) -> anyhow::Result<Option<Finding>> {
    let cause = "no new pods come to this node: an upgrade has cordoned it";
    Ok(if is_ours(host) { still(host, cause) } else { None })
}

/// Somebody else has cordoned the node, who may have good reasons.
pub(super) fn cordoned_by_others(host: &Host) -> anyhow::Result<Option<Finding>> {
    let cause = "no new pods come to this node: somebody has cordoned it";
    Ok(if is_ours(host) { None } else { still(host, cause) })
}

/// Whether the installer has cordoned the node last.
fn is_ours(host: &Host) -> bool {
    let last = intentions(host.lines())
        .filter(|one| matches!(one, Intention::Cordon | Intention::Uncordon))
        .last();
    last == Some(Intention::Cordon)
}

/// The finding, if the node is cordoned and no upgrade is in the middle, which would go on
/// with that.
fn still(host: &Host, cause: &str) -> Option<Finding> {
    if upgrade(host.lines()).is_some_and(|open| open.stage != Stage::Made) {
        return None;
    }
    let name = registered::name(host);
    let now = host.query(&format!(
        "{} --request-timeout 10s get node {name} --output jsonpath={{.spec.unschedulable}}",
        kubectl(KUBELET_CONF)
    ));
    (now.stdout.trim() == "true").then(|| {
        Finding::new(cause, format!("kubectl --kubeconfig {KUBELET_CONF} uncordon {name}"))
    })
}
