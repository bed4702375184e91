//! The control plane, by kubeadm.

use std::path::PathBuf;

use super::kubeconfig::ADMIN;
use crate::change::Change;
use crate::exec::Command;
use crate::host::Host;
use crate::kubeadm;
use crate::step::{Node, SERVICE_FOLDER, Step};

/// kubeadm's own way back. It ends pods, and empties its folders.
const RESET: &str = "kubeadm reset --force --cri-socket /run/containerd/containerd.sock";

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
        let path = format!("{SERVICE_FOLDER}/kubeadm.yaml");
        let mut changes = claims(host, &["/var/lib/etcd"]);
        let text = kubeadm::init_configuration(node.intent)?;
        changes.extend(super::file(host, &path, &text)?);
        if host.was_interrupted(self.name()) {
            // What an init that was cut short has left, the next would refuse.
            changes.push(Change::run(RESET));
        }
        changes.push(Change::Run {
            command: Command::of("kubeadm init --skip-token-print --config").with(path),
            undo: vec![Command::of(RESET)],
        });
        Ok(changes)
    }
}

/// Folders of Kubernetes and of pods' networks that are ours if there is nothing
/// in them yet.
pub(crate) fn claims(host: &Host, more: &[&str]) -> Vec<Change> {
    let all = ["/var/lib/kubelet", "/etc/cni/net.d", "/etc/kubernetes", "/var/lib/cni"];
    let claim = |path: &&str| {
        let path = PathBuf::from(path);
        let is_empty = host.list(&path).is_empty();
        is_empty.then_some(Change::Claim { path, mode: 0o755 })
    };
    all.iter().chain(more).filter_map(claim).collect()
}

/// Whether `kubeadm init` got to its end: kube-proxy is the last that it makes.
fn is_complete(host: &Host) -> bool {
    host.exists(ADMIN)
        && host
            .query(&format!(
                "kubectl --kubeconfig {ADMIN} --request-timeout 10s -n kube-system get daemonset kube-proxy"
            ))
            .succeeded()
}
