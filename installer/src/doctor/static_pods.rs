//! The control plane's pods, which kubelet runs from files, and etcd's data.

use super::Finding;
use crate::host::Host;
use crate::node::kubeadm::config_option;
use crate::node::paths::STATIC_PODS;
use crate::node::paths::{AUTHORITY_KEY, ETCD_MEMBER};

/// Each pod's file, and what of `kubeadm init phase` writes it.
const PODS: [(&str, &str); 4] = [
    ("etcd.yaml", "etcd local"),
    ("kube-apiserver.yaml", "control-plane apiserver"),
    ("kube-controller-manager.yaml", "control-plane controller-manager"),
    ("kube-scheduler.yaml", "control-plane scheduler"),
];

/// Whether a control plane is meant to be here: its keys are.
fn is_here(host: &Host) -> bool {
    host.exists(AUTHORITY_KEY) && host.exists("/etc/kubernetes/pki/apiserver.crt")
}

/// A control plane was removed, and its data was not: the next would be refused.
pub(super) fn leftover(host: &Host) -> anyhow::Result<Option<Finding>> {
    let is_left = host.exists(ETCD_MEMBER) && !host.exists(format!("{STATIC_PODS}/etcd.yaml"));
    if !is_left || is_here(host) {
        return Ok(None);
    }
    Ok(Some(Finding::new(
        format!("{ETCD_MEMBER} has the data of a control plane that is not here any more"),
        format!("mv {ETCD_MEMBER} /var/lib/etcd-member.old"),
    )))
}

/// The keys of a control plane are here, and not all of its pods.
pub(super) fn missing(host: &Host) -> anyhow::Result<Option<Finding>> {
    let missing = || PODS.iter().filter(|(file, _)| !host.exists(format!("{STATIC_PODS}/{file}")));
    if !is_here(host) || missing().next().is_none() {
        return Ok(None);
    }
    let config = config_option(host);
    let files: Vec<&str> = missing().map(|(file, _)| *file).collect();
    let commands: Vec<String> =
        missing().map(|(_, phase)| format!("kubeadm init phase {phase}{config}")).collect();
    Ok(Some(Finding::new(
        format!("the control plane lacks {} in {STATIC_PODS}", files.join(", ")),
        commands.join(" && "),
    )))
}
