//! Kubeconfigs that believe an authority which is not the cluster's: they are of
//! an older cluster, and say "x509: certificate signed by unknown authority".

use super::{Finding, role, whole_line};
use crate::credentials::certificate::Certificate;
use crate::credentials::kubeconfig::Kubeconfig;
use crate::credentials::kubelet::CLIENT;
use crate::credentials::pki::AUTHORITY;
use crate::host::Host;
use crate::kubeadm::config_option;
use crate::role::Role;
use crate::steps::control_plane::RESET;
use crate::steps::kubeconfig::{ADMIN, OWN};
use crate::steps::ready::KUBELET;

/// The administrator's.
pub(super) fn admin(host: &Host) -> anyhow::Result<Option<Finding>> {
    let cure = format!(
        "mv {ADMIN} {ADMIN}.old && kubeadm init phase kubeconfig admin{}",
        config_option(host)
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
            config_option(host),
            CLIENT
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
