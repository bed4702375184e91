//! Kubeconfigs with another authority than the cluster's. They are left over from an
//! older cluster, and cause "x509: certificate signed by unknown authority".

use anyhow::Context;

use super::finding::{Finding, role, whole_line};
use crate::host::Host;
use crate::node::certificates::certificate::Certificate;
use crate::node::certificates::kubeconfig::Kubeconfig;
use crate::node::kubeadm::{RESET, config_option};
use crate::node::paths::{ADMIN_CONF, AUTHORITY, KUBELET_CLIENT, KUBELET_CONF, ROOT_KUBECONFIG};
use crate::role::Role;

/// The administrator's kubeconfig is wrong.
pub(super) fn admin(host: &Host) -> anyhow::Result<Option<Finding>> {
    let cure = format!(
        "mv {ADMIN_CONF} {ADMIN_CONF}.old && kubeadm init phase kubeconfig admin{}",
        config_option(host)
    );
    Ok(wrong(host, ADMIN_CONF)?.map(|cause| Finding::new(cause, cure)))
}

/// kubelet's kubeconfig is wrong.
pub(super) fn kubelet(host: &Host) -> anyhow::Result<Option<Finding>> {
    Ok(wrong(host, KUBELET_CONF)?.map(|cause| Finding::new(cause, kubelet_anew(host))))
}

/// root's kubeconfig is wrong.
pub(super) fn own(host: &Host) -> anyhow::Result<Option<Finding>> {
    Ok(wrong(host, ROOT_KUBECONFIG)?.map(|cause| Finding::new(cause, own_anew(host))))
}

/// The commands that give kubelet a kubeconfig and a certificate of the cluster.
pub(super) fn kubelet_anew(host: &Host) -> String {
    match role(host) {
        // kubeadm never replaces a kubeconfig that exists.
        Role::Master => format!(
            "mv {KUBELET_CONF} {KUBELET_CONF}.old && kubeadm init phase kubeconfig kubelet{} && rm -f {} && \
             systemctl restart kubelet",
            config_option(host),
            KUBELET_CLIENT
        ),
        Role::Worker => format!(
            "on the master: ./installer token --output join.yaml; with it here: {RESET} && {}",
            whole_line(host, Role::Worker)
        ),
    }
}

/// The command that gives root a kubeconfig of the cluster, or takes away one that
/// does not belong here.
pub(super) fn own_anew(host: &Host) -> String {
    if host.exists(ADMIN_CONF) {
        format!("install -m 600 {ADMIN_CONF} {ROOT_KUBECONFIG}")
    } else {
        format!("mv {ROOT_KUBECONFIG} {ROOT_KUBECONFIG}.old")
    }
}

/// What is wrong with a kubeconfig; none if it does not exist.
fn wrong(host: &Host, path: &str) -> anyhow::Result<Option<String>> {
    let Some(text) = host.read(path)? else { return Ok(None) };
    let config = match Kubeconfig::parse(&text).with_context(|| format!("reading {path}")) {
        Ok(config) => config,
        Err(error) => return Ok(Some(format!("{error:#}"))),
    };
    let Some(authority) = host.read(AUTHORITY)? else { return Ok(None) };
    let cluster = Certificate::all_of(&authority)?;
    let is_other = !config.authorities.is_empty() && !config.believes(&cluster);
    Ok(is_other.then(|| format!("{path} is of another cluster: its authority is not {AUTHORITY}")))
}
