//! The installation itself: never begun, interrupted, or not finished.

use super::certificates;
use super::finding::{Finding, role, whole_line};
use crate::host::Host;
use crate::node::kubeadm::{RESET, config_option};
use crate::node::paths::KUBELET_CONF;
use crate::node::registered;
use crate::receipt::{self, Stage, StepName};
use crate::role::Role;
use crate::steps::order;

/// Whether kubeadm has put the node into a cluster.
pub(super) fn is_inside(host: &Host) -> bool {
    host.exists(KUBELET_CONF)
}

/// The node is in no cluster, or not yet.
pub(super) fn outside(host: &Host) -> anyhow::Result<Option<Finding>> {
    if is_inside(host) {
        return Ok(None);
    }
    let Some(role) = Role::of_receipt(host.lines()) else {
        return Ok(Some(Finding::new(
            "this node is in no cluster",
            "./installer --role master, or ./installer --role worker --join join.yaml",
        )));
    };
    if let Some(renewal) = certificates::interrupted(host)? {
        // An interrupted renewal replaces kubelet's kubeconfig on its way.
        return Ok(Some(renewal));
    }
    let last = if role == Role::Master { StepName::ControlPlane } else { StepName::Join };
    Ok(Some(if host.was_finished(last) {
        // kubeadm refuses a node with files of an earlier run.
        Finding::new(
            format!("this {role} was in a cluster, and {KUBELET_CONF} is gone"),
            match role {
                Role::Master => format!(
                    "kubeadm init phase kubeconfig kubelet{} && systemctl restart kubelet",
                    config_option(host)
                ),
                Role::Worker => format!("{RESET} && {}", whole_line(host, role)),
            },
        )
    } else {
        let step = steps_cut_short(host)
            .first()
            .map_or(String::new(), |step| format!(": its step `{step}` was interrupted"));
        Finding::new(format!("this node is not yet a {role}{step}"), whole_line(host, role))
    }))
}

/// A step was interrupted on a node that is in a cluster.
pub(super) fn interrupted(host: &Host) -> anyhow::Result<Option<Finding>> {
    let steps = steps_cut_short(host);
    // An upgrade that has not ended is told by another check, with its own cure.
    let is_upgrading = receipt::upgrade(host.lines()).is_some_and(|one| one.stage != Stage::Made);
    // If the node works, nothing is missing: only the receipt is out of date.
    if steps.is_empty()
        || is_upgrading
        || registered::ask(host).is_ok_and(|node| node.is_some_and(|node| node.ready == "True"))
    {
        return Ok(None);
    }
    let names: Vec<String> = steps.iter().map(ToString::to_string).collect();
    let cause = format!("the installer was interrupted in its step `{}`", names.join("`, `"));
    Ok(Some(Finding::new(cause, whole_line(host, role(host)))))
}

/// Steps that made changes and did not finish. `ready` is left out: it only waits,
/// and another check finds what it waits for.
fn steps_cut_short(host: &Host) -> Vec<StepName> {
    let steps = Role::of_receipt(host.lines()).map(order::steps).unwrap_or_default();
    let names = steps.iter().map(|step| step.name());
    names
        .filter(|name| *name != StepName::Ready && receipt::interrupted(host.lines(), *name))
        .collect()
}
