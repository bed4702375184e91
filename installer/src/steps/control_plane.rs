//! The control plane, by kubeadm.

use super::kubeconfig::{ADMIN, kubectl};
use super::{claims, live, time};
use crate::change::Change;
use crate::exec::Command;
use crate::host::Host;
use crate::kubeadm;
use crate::step::{Node, Step};

/// kubeadm's own way back. It ends pods, and empties its folders.
pub(crate) const RESET: &str = "kubeadm reset --force --cri-socket /run/containerd/containerd.sock";

/// What kubeadm is told.
pub(crate) const CONFIGURATION: &str = "/opt/kubernetes/kubeadm.yaml";

/// See the module.
pub struct ControlPlane;

impl Step for ControlPlane {
    fn name(&self) -> &'static str {
        "control-plane"
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let host = node.host;
        if is_complete(host) {
            return Ok(Vec::new());
        }
        live::refuse(host, self.name(), "/var/lib/etcd/member")?;
        let mut changes = claims(host, &[&FOLDERS[..], &["/var/lib/etcd"]].concat())?;
        let text = kubeadm::init_configuration(&node.intent.settings())?;
        changes.extend(super::file(host, CONFIGURATION, &text)?);
        if host.was_interrupted(self.name()) {
            // What an init that was cut short has left, the next would refuse.
            changes.push(Change::run(RESET));
        }
        changes.push(Change::Run {
            command: Command::of("kubeadm init --skip-token-print --config").with(CONFIGURATION),
            undo: vec![Command::of(RESET)],
            files: Vec::new(),
        });
        Ok(changes)
    }

    fn before(&self, node: &Node<'_>) -> anyhow::Result<()> {
        time::wrong_clock(node.host)?.map_or(Ok(()), |wrong| Err(wrong.into()))
    }
}

/// Folders that kubeadm, kubelet and pods' networks fill.
pub(crate) const FOLDERS: [&str; 4] =
    ["/etc/kubernetes", "/usr/libexec/kubernetes", "/var/lib/cni", "/var/lib/kubelet"];

/// Whether `kubeadm init` got to its end: kube-proxy is the last that it makes.
fn is_complete(host: &Host) -> bool {
    host.exists(ADMIN)
        && host
            .query(&format!(
                "{} --request-timeout 10s -n kube-system get daemonset kube-proxy",
                kubectl(ADMIN)
            ))
            .succeeded()
}
