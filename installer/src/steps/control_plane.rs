//! The control plane, by kubeadm.

use super::kubeconfig::{ADMIN, kubectl};
use super::live::{self, Standing};
use super::{boot_images, claims, time};
use crate::change::Change;
use crate::exec::Command;
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
        // kube-proxy is the last that `kubeadm init` makes.
        let question = format!(
            "{} --request-timeout 10s -n kube-system get daemonset kube-proxy",
            kubectl(ADMIN)
        );
        match live::standing(host, self.name(), "/var/lib/etcd/member", ADMIN, &question)? {
            Standing::In => return Ok(Vec::new()),
            Standing::Waiting(change) => return Ok(vec![change]),
            Standing::Out => {}
        }
        let mut changes = claims(host, &[&FOLDERS[..], &["/var/lib/etcd"]].concat())?;
        let text = kubeadm::init_configuration(&node.intent.settings())?;
        changes.extend(super::secret_file(host, CONFIGURATION, &text)?);
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
        let wrong = match time::wrong_clock(node.host)? {
            Some(wrong) => Some(wrong),
            None => boot_images::refusal(node.host, node.intent)?,
        };
        wrong.map_or(Ok(()), |wrong| Err(wrong.into()))
    }

    fn cure(&self) -> Option<&'static str> {
        Some(
            "`crictl ps --all` and `journalctl -u kubelet` say what does not start; mend that, and run \
             this again",
        )
    }
}

/// Folders that kubeadm, kubelet and pods' networks fill.
pub(crate) const FOLDERS: [&str; 4] =
    ["/etc/kubernetes", "/usr/libexec/kubernetes", "/var/lib/cni", "/var/lib/kubelet"];
