//! The API server: whether it answers this node, and what it says of it.

use super::finding::{Finding, role};
use crate::host::Host;
use crate::node::certificates::kubeconfig::Kubeconfig;
use crate::node::kubeadm::config_option;
use crate::node::paths::{KUBEADM_JOINED, KUBELET_CONF};
use crate::node::{reach, registered};
use crate::role::Role;

/// Nothing answers at the address in kubelet's kubeconfig.
pub(super) fn unreachable(host: &Host) -> anyhow::Result<Option<Finding>> {
    // Another check reports a kubeconfig that cannot be read.
    let Ok(Some(config)) = Kubeconfig::read(host, KUBELET_CONF) else { return Ok(None) };
    if reach::answers(host, &config.endpoint) {
        return Ok(None);
    }
    let cure = match role(host) {
        Role::Master => {
            "tail -n 5 /var/log/pods/kube-system_kube-apiserver-*/*/*.log, which says why"
        }
        Role::Worker => "on the master: ./installer doctor; if it finds nothing, check the cable",
    };
    let cause = format!("the API server at {} does not answer", config.endpoint);
    Ok(Some(Finding::new(cause, cure)))
}

/// The API server answers, and does not know the node: somebody has deleted it.
/// kubelet registers the node again when it starts. Labels and taints that kubeadm
/// set on a master are in no file of kubelet's, so a master gets them again from
/// kubeadm.
pub(super) fn unknown(host: &Host) -> anyhow::Result<Option<Finding>> {
    if !matches!(registered::ask(host), Ok(None)) {
        return Ok(None);
    }
    let restart = "systemctl restart kubelet";
    Ok(Some(Finding::new(
        format!(
            "the cluster does not know {} any more: it was deleted there",
            registered::name(host)
        ),
        match role(host) {
            Role::Master => {
                let config = config_option(host);
                let back = format!("{restart} && kubeadm init phase mark-control-plane{config}");
                match host.exists(KUBEADM_JOINED) {
                    true => format!("./installer reset, if that was meant; else {back}"),
                    false => back,
                }
            }
            Role::Worker => restart.to_owned(),
        },
    )))
}

/// The API server answers, and says that the node is not Ready.
pub(super) fn not_ready(host: &Host) -> anyhow::Result<Option<Finding>> {
    let Ok(Some(node)) = registered::ask(host) else { return Ok(None) };
    Ok((node.ready != "True").then(|| {
        Finding::new(
            format!("the node is not Ready: {}", node.message),
            "systemctl restart kubelet; `journalctl --unit kubelet` says more",
        )
    }))
}
