//! The control plane's pods, which kubelet starts from files, and etcd's data.

use super::finding::{Finding, whole_line};
use crate::host::Host;
use crate::node::kubeadm::config_option;
use crate::node::paths::{AUTHORITY_KEY, ETCD_MEMBER, KUBEADM_JOINED, STATIC_PODS};
use crate::role::Role;

/// Each pod's file, and the phase of `kubeadm init` that writes it.
const PODS: [(&str, &str); 4] = [
    ("etcd.yaml", "etcd local"),
    ("kube-apiserver.yaml", "control-plane apiserver"),
    ("kube-controller-manager.yaml", "control-plane controller-manager"),
    ("kube-scheduler.yaml", "control-plane scheduler"),
];

/// Whether this node should have a control plane: it has the keys.
fn is_here(host: &Host) -> bool {
    host.exists(AUTHORITY_KEY) && host.exists("/etc/kubernetes/pki/apiserver.crt")
}

/// A control plane was removed, and its data was not. kubeadm would refuse to make
/// the next one.
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

/// The control plane's keys are here, and some of its pods' files are not.
pub(super) fn missing(host: &Host) -> anyhow::Result<Option<Finding>> {
    let missing = || PODS.iter().filter(|(file, _)| !host.exists(format!("{STATIC_PODS}/{file}")));
    if !is_here(host) || missing().next().is_none() {
        return Ok(None);
    }
    // Without etcd's data, `kubeadm init phase etcd local` would begin another cluster.
    if host.exists(KUBEADM_JOINED) && !host.exists(ETCD_MEMBER) {
        let cause = "this master has not joined etcd";
        return Ok(Some(Finding::new(cause, whole_line(host, Role::Master))));
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
