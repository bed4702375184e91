//! Kubeconfigs that believe an authority which is not the cluster's: they are of
//! an older cluster, and say "x509: certificate signed by unknown authority".

use super::{Finding, kubeadm_config, role, whole_line};
use crate::certificate::Certificate;
use crate::host::Host;
use crate::kubeconfig::Kubeconfig;
use crate::role::Role;
use crate::steps::control_plane::RESET;
use crate::steps::kubeconfig::{ADMIN, OWN};
use crate::steps::ready::KUBELET;

/// The cluster's authority, as kubeadm leaves it on every node.
pub(super) const AUTHORITY: &str = "/etc/kubernetes/pki/ca.crt";

/// The administrator's.
pub(super) fn admin(host: &Host) -> anyhow::Result<Option<Finding>> {
    let cure = format!(
        "mv {ADMIN} {ADMIN}.old && kubeadm init phase kubeconfig admin{}",
        kubeadm_config(host)
    );
    Ok(wrong(host, ADMIN)?.map(|cause| Finding::new(cause, cure)))
}

/// kubelet's.
pub(super) fn kubelet(host: &Host) -> anyhow::Result<Option<Finding>> {
    Ok(wrong(host, KUBELET)?.map(|cause| Finding::new(cause, kubelet_anew(host))))
}

/// root's own.
pub(super) fn own(host: &Host) -> anyhow::Result<Option<Finding>> {
    Ok(wrong(host, OWN)?.map(|cause| Finding::new(cause, own_anew(host))))
}

/// What gives kubelet a kubeconfig and a certificate of the cluster.
pub(super) fn kubelet_anew(host: &Host) -> String {
    match role(host) {
        // kubeadm leaves one that is there as it is.
        Role::Master => format!(
            "mv {KUBELET} {KUBELET}.old && kubeadm init phase kubeconfig kubelet{} && rm -f {} && \
             systemctl restart kubelet",
            kubeadm_config(host),
            crate::registered::CLIENT
        ),
        Role::Worker => format!(
            "on the master: ./installer token --output join.yaml; with it here: {RESET} && {}",
            whole_line(Role::Worker)
        ),
    }
}

/// What gives root a kubeconfig of the cluster, or none where none belongs.
pub(super) fn own_anew(host: &Host) -> String {
    if host.exists(ADMIN) {
        format!("install -m 600 {ADMIN} {OWN}")
    } else {
        format!("mv {OWN} {OWN}.old")
    }
}

/// What is wrong with a kubeconfig; nothing where there is none.
fn wrong(host: &Host, path: &str) -> anyhow::Result<Option<String>> {
    if host.read(path)?.is_none() {
        return Ok(None);
    }
    let config = match Kubeconfig::read(host, path) {
        Ok(Some(config)) => config,
        Ok(None) => return Ok(None),
        Err(error) => return Ok(Some(format!("{error:#}"))),
    };
    let Some(authority) = host.read(AUTHORITY)? else { return Ok(None) };
    let cluster = Certificate::all_of(&authority)?;
    let is_other = !config.authorities.is_empty() && !config.believes(&cluster);
    Ok(is_other.then(|| format!("{path} is of another cluster: its authority is not {AUTHORITY}")))
}
