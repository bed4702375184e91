//! Certificates that hold no more, or not yet. kubeadm makes them for a year, and
//! authorities for ten (kubernetes.io, "certificate management with kubeadm").

use std::time::SystemTime;

use anyhow::{Context, ensure};

use super::kubeconfigs::{kubelet_anew, own_anew};
use super::{Finding, kubeadm_config, role};
use crate::certificate::Certificate;
use crate::host::Host;
use crate::kubeconfig::Kubeconfig;
use crate::registered::{self, CLIENT};
use crate::role::Role;
use crate::steps::kubeconfig::OWN;

/// Where the cluster's certificates lie.
const FOLDERS: [&str; 2] = ["/etc/kubernetes/pki", "/etc/kubernetes/pki/etcd"];
/// Kubeconfigs of the control plane, which have their certificates in them.
const CONFIGS: [&str; 4] = ["admin", "super-admin", "controller-manager", "scheduler"];

/// A certificate, and the file that has it.
type Placed = (String, Certificate);

/// One holds only from a later time on.
pub(super) fn early(host: &Host) -> anyhow::Result<Option<Finding>> {
    let mut all = in_folders(host, |_| true)?;
    all.extend(of_configs(host));
    all.extend(of_kubelet(host));
    let now = SystemTime::now();
    let Some((path, one)) = all.into_iter().find(|(_, one)| one.is_early(now)) else {
        return Ok(None);
    };
    Ok(Some(Finding::new(
        format!("the clock is behind: {path} holds from {} to {}", one.from, one.until),
        match role(host) {
            Role::Master => "date --set 'YYYY-MM-DD HH:MM:SS', with the true time",
            Role::Worker => "chronyc makestep",
        },
    )))
}

/// An authority's.
pub(super) fn authority(host: &Host) -> anyhow::Result<Option<Finding>> {
    Ok(expired(&in_folders(host, is_authority)?).map(|cause| {
        let cure = "back up the cluster's data, and make it anew: ./installer reset on each node";
        Finding::new(cause, cure)
    }))
}

/// Those of the control plane.
pub(super) fn control_plane(host: &Host) -> anyhow::Result<Option<Finding>> {
    let mut all = in_folders(host, |name| !is_authority(name))?;
    all.extend(of_configs(host));
    // The pods read them when they start; kubelet ends those whose files are gone
    // for longer than its look around, 20 s, and starts them again.
    let cure = format!(
        "kubeadm certs renew all{} && cd /etc/kubernetes && mv manifests manifests.off && \
         sleep 60 && mv manifests.off manifests",
        kubeadm_config(host)
    );
    Ok(expired(&all).map(|cause| Finding::new(cause, cure)))
}

/// kubelet's, which it renews itself unless it was off for too long.
pub(super) fn kubelet(host: &Host) -> anyhow::Result<Option<Finding>> {
    Ok(expired(&of_kubelet(host)).map(|cause| Finding::new(cause, kubelet_anew(host))))
}

/// root's own, a copy of the administrator's from before that was renewed.
pub(super) fn own(host: &Host) -> anyhow::Result<Option<Finding>> {
    Ok(expired(&of_config(host, OWN)).map(|cause| Finding::new(cause, own_anew(host))))
}

fn is_authority(name: &str) -> bool {
    name == "ca.crt" || name == "front-proxy-ca.crt"
}

/// Those that expired, with their dates.
fn expired(all: &[Placed]) -> Option<String> {
    let now = SystemTime::now();
    let text = |(path, one): &Placed| format!("{path} ({} to {})", one.from, one.until);
    let texts: Vec<String> = all.iter().filter(|(_, one)| one.has_expired(now)).map(text).collect();
    (!texts.is_empty()).then(|| format!("expired: {}", texts.join(", ")))
}

/// The certificates of the folders whose files have such names.
fn in_folders(host: &Host, is_wanted: impl Fn(&str) -> bool) -> anyhow::Result<Vec<Placed>> {
    let mut all = Vec::new();
    for folder in FOLDERS {
        let names = host.list(folder)?;
        for name in names.iter().filter(|name| name.ends_with(".crt") && is_wanted(name)) {
            let path = format!("{folder}/{name}");
            let text = host.read(&path)?.unwrap_or_default();
            let found = Certificate::all_of(&text).with_context(|| format!("reading {path}"))?;
            // What a full disk or a lost power leaves.
            ensure!(!found.is_empty(), "{path} has no certificate in it");
            all.extend(found.into_iter().map(|one| (path.clone(), one)));
        }
    }
    Ok(all)
}

fn of_configs(host: &Host) -> Vec<Placed> {
    let paths = CONFIGS.iter().map(|name| format!("/etc/kubernetes/{name}.conf"));
    paths.flat_map(|path| of_config(host, &path)).collect()
}

/// A kubeconfig that cannot be read is a cause of its own.
fn of_config(host: &Host, path: &str) -> Vec<Placed> {
    let config = Kubeconfig::read(host, path).ok().flatten();
    let found = config.map(|config| config.client).unwrap_or_default();
    found.into_iter().map(|one| (path.to_owned(), one)).collect()
}

fn of_kubelet(host: &Host) -> Vec<Placed> {
    registered::client(host).into_iter().map(|one| (CLIENT.to_owned(), one)).collect()
}
