//! What others have put on the node, beside which Kubernetes does not work, or
//! which would not work any more beside it.

use bundle_format::cluster::Firewall;

use super::{has_begun, is_ours};
use crate::failure::Failure;
use crate::host::Host;
use crate::step::Intent;
use crate::steps::containerd::{self, NETWORKS};
use crate::steps::{kubeconfig, ready, unit_is};

/// A containerd that no package brought would be started in place of ours. Docker
/// has the kernel drop what is forwarded, and so pods' traffic (docs.docker.com,
/// "packet filtering and firewalls").
pub(super) fn programs(host: &Host, _: &Intent) -> anyhow::Result<Vec<Failure>> {
    if has_begun(host) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for path in ["/etc/systemd/system/containerd.service", "/usr/local/bin/containerd"] {
        if host.exists(path) {
            found.push(Failure::new(
                format!("a containerd is here that no package brought: {path}"),
                format!(
                    "if nobody needs it: `systemctl disable --now containerd`, and move {path} away"
                ),
            ));
        }
    }
    if unit_is(host, "active", "docker")? {
        found.push(Failure::new(
            "Docker runs on this node, and would drop the traffic of pods",
            "take another node, or, if nobody needs it: `systemctl disable --now docker \
             docker.socket`, and restart the node",
        ));
    }
    Ok(found)
}

/// Of firewalls, firewalld alone is told which ports are to be open.
pub(super) fn firewalls(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let mut found = Vec::new();
    if intent.cluster.firewall == Firewall::Leave {
        return Ok(found);
    }
    for unit in ["iptables", "nftables"] {
        if unit_is(host, "active", unit)? {
            // When it ends it takes all rules away, and so kube-proxy's.
            let end = if host.exists(ready::KUBELET) {
                format!("`systemctl disable {unit}`, and restart the node when that suits")
            } else {
                format!("`systemctl disable --now {unit}`")
            };
            found.push(Failure::new(
                format!("{unit}.service runs here, with rules that this program does not change"),
                format!(
                    "{end}; or open the ports yourself, and have `firewall: leave` in the cluster \
                     file"
                ),
            ));
        }
    }
    Ok(found)
}

/// What an older cluster has left makes kubeadm hang or fail.
pub(super) fn leftovers(host: &Host, _: &Intent) -> anyhow::Result<Vec<Failure>> {
    if is_ours(host) {
        return Ok(Vec::new());
    }
    let mut left = Vec::new();
    for path in ["/etc/kubernetes/manifests", "/etc/kubernetes/pki", "/var/lib/etcd/member"] {
        if !host.list(path)?.is_empty() {
            left.push(path);
        }
    }
    left.extend([kubeconfig::ADMIN, ready::KUBELET].iter().filter(|path| host.exists(path)));
    if left.is_empty() {
        return Ok(Vec::new());
    }
    let left = left.join(", ");
    let remove = if host.exists("/usr/bin/kubeadm") {
        "kubeadm reset".to_owned()
    } else {
        format!("rm -rf {}", left.replace(',', ""))
    };
    Ok(vec![Failure::new(
        format!("this node has been in a cluster before: {left}"),
        format!("if nothing of that is needed, run `{remove}`, and then this again"),
    )])
}

/// containerd would give pods addresses by it until the cluster's own has come.
pub(super) fn networks(host: &Host, _: &Intent) -> anyhow::Result<Vec<Failure>> {
    if has_begun(host) {
        return Ok(Vec::new());
    }
    let names = containerd::networks(host)?;
    if names.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![Failure::new(
        format!(
            "{NETWORKS} has a network for containers that is not the cluster's: {}",
            names.join(", ")
        ),
        format!(
            "move it away: `mv {NETWORKS} {NETWORKS}.old`; podman takes another folder by \
             `network_config_dir` in containers.conf"
        ),
    )])
}
