//! Certificates that have expired, expire soon, or are not valid yet. kubeadm makes
//! them for one year, and authorities for ten (kubernetes.io, "Certificate Management
//! with kubeadm").

use std::time::SystemTime;

use super::finding::{Finding, role};
use super::kubeconfigs::{kubelet_anew, own_anew};
use crate::host::Host;
use crate::node::certificates::kept::{Kept, Standing};
use crate::node::certificates::{kubelet, pki};
use crate::node::kubeadm::config_option;
use crate::node::paths::ROOT_KUBECONFIG;
use crate::receipt::StepName;
use crate::role::Role;

/// A certificate becomes valid only later: the clock is behind.
pub(super) fn early(host: &Host) -> anyhow::Result<Option<Finding>> {
    let mut all = pki::of_authorities(host)?;
    all.extend(pki::of_control_plane(host)?);
    all.extend(kubelet::of_client(host)?);
    let now = SystemTime::now();
    let Some(Kept { path, certificate: one, .. }) =
        all.into_iter().find(|one| one.standing(now) == Standing::Early)
    else {
        return Ok(None);
    };
    Ok(Some(Finding::new(
        format!("the clock is behind: {path} is valid from {} to {}", one.from, one.until),
        match role(host) {
            Role::Master => "date --set 'YYYY-MM-DD HH:MM:SS', with the true time",
            Role::Worker => "chronyc makestep",
        },
    )))
}

/// A renewal was interrupted: some certificates are new, and not every program has
/// read them.
pub(super) fn interrupted(host: &Host) -> anyhow::Result<Option<Finding>> {
    let was = host.was_interrupted(StepName::Certs);
    Ok(was.then(|| Finding::new("the renewal of certificates was interrupted", renewed(host))))
}

/// An authority has expired.
pub(super) fn authority(host: &Host) -> anyhow::Result<Option<Finding>> {
    let all = pki::of_authorities(host)?;
    Ok(told("expired", Standing::Expired, &all).map(|cause| {
        let cure = "back up the cluster's data, and make a new cluster: ./installer reset on each \
            node";
        Finding::new(cause, cure)
    }))
}

/// Certificates of the control plane have expired.
pub(super) fn control_plane(host: &Host) -> anyhow::Result<Option<Finding>> {
    let all = pki::of_control_plane(host)?;
    Ok(told("expired", Standing::Expired, &all).map(|cause| Finding::new(cause, renewed(host))))
}

/// kubelet's certificate has expired. kubelet renews it itself, unless it was off for
/// too long.
pub(super) fn kubelet(host: &Host) -> anyhow::Result<Option<Finding>> {
    let all = kubelet::of_client(host)?;
    let cure = || kubelet_anew(host);
    Ok(told("expired", Standing::Expired, &all).map(|cause| Finding::new(cause, cure())))
}

/// root's kubeconfig is a copy of the administrator's from before a renewal, and has
/// expired.
pub(super) fn own(host: &Host) -> anyhow::Result<Option<Finding>> {
    let all = pki::of_config(host, ROOT_KUBECONFIG).unwrap_or_default();
    let cure = || own_anew(host);
    Ok(told("expired", Standing::Expired, &all).map(|cause| Finding::new(cause, cure())))
}

/// Certificates that expire within 30 days. kubelet should have renewed its own.
pub(super) fn ending(host: &Host) -> anyhow::Result<Option<Finding>> {
    let ends = |all: &[Kept]| told("will expire", Standing::EndsSoon, all);
    if let Some(cause) = ends(&pki::of_control_plane(host)?) {
        return Ok(Some(Finding::new(cause, renewed(host))));
    }
    let cause = ends(&kubelet::of_client(host)?);
    Ok(cause.map(|cause| {
        let cause = format!("{cause}; kubelet has not renewed it");
        Finding::new(cause, "systemctl restart kubelet; `journalctl --unit kubelet` says why not")
    }))
}

/// The command that renews the control plane's certificates.
fn renewed(host: &Host) -> String {
    if Role::of_receipt(host.lines()).is_some() {
        return "./installer certs renew".to_owned();
    }
    // Pods read certificates when they start. kubelet looks at its folder every 20
    // s: it ends the pods whose files are gone, and starts them again when the
    // files are back.
    format!(
        "kubeadm certs renew all{} && cd /etc/kubernetes && mv manifests manifests.off && \
         sleep 60 && mv manifests.off manifests",
        config_option(host)
    )
}

/// The certificates with this standing, with their dates.
fn told(what: &str, standing: Standing, all: &[Kept]) -> Option<String> {
    let now = SystemTime::now();
    let text = |Kept { path, certificate: one, .. }: &Kept| {
        format!("{path} ({} to {})", one.from, one.until)
    };
    let texts: Vec<String> =
        all.iter().filter(|one| one.standing(now) == standing).map(text).collect();
    (!texts.is_empty()).then(|| format!("{what}: {}", texts.join(", ")))
}
