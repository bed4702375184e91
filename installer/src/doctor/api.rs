//! The API server, as the node sees it, and the node, as that sees it.

use super::{Finding, role};
use crate::host::Host;
use crate::node::certificates::kubeconfig::Kubeconfig;
use crate::node::kubeadm::config_option;
use crate::node::paths::KUBELET_CONF;
use crate::node::reach;
use crate::node::registered;
use crate::role::Role;

/// Nothing answers at the address that kubelet has of it.
pub(super) fn unreachable(host: &Host) -> anyhow::Result<Option<Finding>> {
    // A kubeconfig that cannot be read is a cause of its own.
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

/// It answers, and does not know the node: somebody has deleted it. kubelet enters it
/// when it starts; what kubeadm then made of a master is in no file of kubelet's.
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
                format!("{restart} && kubeadm init phase mark-control-plane{config}")
            }
            Role::Worker => restart.to_owned(),
        },
    )))
}

/// It answers, and has the node as not Ready.
pub(super) fn not_ready(host: &Host) -> anyhow::Result<Option<Finding>> {
    let Ok(Some(node)) = registered::ask(host) else { return Ok(None) };
    Ok((node.ready != "True").then(|| {
        Finding::new(
            format!("the node is not Ready: {}", node.message),
            "systemctl restart kubelet; `journalctl --unit kubelet` says more",
        )
    }))
}
