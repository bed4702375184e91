//! An upgrade that has not ended, and a node that it left without new pods.

use bundle_format::KubernetesVersion;

use super::finding::Finding;
use crate::host::Host;
use crate::node::kubectl::kubectl;
use crate::node::paths::KUBELET_CONF;
use crate::node::registered;
use crate::receipt::{Intention, Stage, intentions, upgrade};

/// How many minor releases a kubelet may be older.
const OLDEST: u32 = 3;

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

/// The installer has cordoned the node last, and it still is. A person may have good
/// reasons to cordon one.
pub(super) fn cordoned(host: &Host) -> anyhow::Result<Option<Finding>> {
    let last = intentions(host.lines())
        .filter(|one| matches!(one, Intention::Cordon | Intention::Uncordon))
        .last();
    let is_open = upgrade(host.lines()).is_some_and(|open| open.stage != Stage::Made);
    if last != Some(Intention::Cordon) || is_open {
        return Ok(None);
    }
    let name = registered::name(host);
    let now = host.query(&format!(
        "{} --request-timeout 10s get node {name} --output jsonpath={{.spec.unschedulable}}",
        kubectl(KUBELET_CONF)
    ));
    Ok((now.stdout.trim() == "true").then(|| {
        Finding::new(
            "no new pods come to this node: an upgrade has cordoned it",
            format!("kubectl --kubeconfig {KUBELET_CONF} uncordon {name}"),
        )
    }))
}

/// kubelet is newer than the API server, or more than three minor releases older
/// (kubernetes.io, "Version Skew Policy").
pub(super) fn skewed(host: &Host) -> anyhow::Result<Option<Finding>> {
    let own = host.query("kubelet --version").stdout;
    let own = own.split_ascii_whitespace().nth(1).map(|word| word.trim_start_matches('v'));
    let own: Option<KubernetesVersion> = own.and_then(|text| text.parse().ok());
    let (Some(own), Ok(api)) = (own, registered::api_version(host)) else { return Ok(None) };
    let (is, cure) = if own.minor() > api.minor() {
        (
            "newer than",
            "upgrade the master with the same bundle; or here ./installer upgrade --back",
        )
    } else if own.minor() + OLDEST < api.minor() {
        ("too old for", "./installer upgrade, one minor release after the other")
    } else {
        return Ok(None);
    };
    Ok(Some(Finding::new(format!("kubelet {own} is {is} the API server, {api}"), cure)))
}
