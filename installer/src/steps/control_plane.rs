//! The control plane, made by kubeadm.

use crate::engine::step::Step;
use crate::exec::Command;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::node::kubeadm::{self, RESET};
use crate::node::kubectl::kubectl;
use crate::node::paths::{ADMIN_CONF, ETCD, ETCD_MEMBER, KUBEADM_CONFIG, KUBELET, KUBERNETES};
use crate::node::standing::{self, Standing};
use crate::receipt::StepName;
use crate::steps::file::{claims, secret_file};
use crate::steps::{boot_images, restore, time};

/// Runs `kubeadm init`: for a new cluster, or on what a backup has of one.
pub struct ControlPlane;

impl Step<Intent> for ControlPlane {
    fn name(&self) -> StepName {
        StepName::ControlPlane
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let host = node.host;
        // kube-proxy is the last thing that `kubeadm init` makes.
        let question = format!(
            "{} --request-timeout 10s -n kube-system get daemonset kube-proxy",
            kubectl(ADMIN_CONF)
        );
        restore::refusal(host, node.intent)?;
        match restore::progress(host) {
            restore::Progress::Begun => {}
            restore::Progress::Serving => return Ok(restore::rest(&question)),
            restore::Progress::None => {
                match standing::standing(host, self.name(), ETCD_MEMBER, ADMIN_CONF, &question)? {
                    Standing::In => return Ok(Vec::new()),
                    Standing::Waiting(command) => {
                        return Ok(vec![Change::Await { command, seconds: standing::PATIENCE }]);
                    }
                    Standing::Out => {}
                }
            }
        }
        let mut changes = claims(host, &[&FOLDERS[..], &[ETCD]].concat())?;
        let text = kubeadm::init_configuration(&node.intent.settings())?;
        changes.extend(secret_file(host, KUBEADM_CONFIG, &text)?);
        if host.was_interrupted(self.name()) {
            // kubeadm refuses what an interrupted `init` left.
            changes.push(Change::run(RESET));
        }
        let mut init = Command::of("kubeadm init --skip-token-print");
        if let Some(backup) = &node.intent.restore {
            changes.extend(restore::changes(node, backup)?);
            init = init.with("--ignore-preflight-errors=DirAvailable--var-lib-etcd");
        }
        changes.push(Change::Run {
            command: init.with("--config").with(KUBEADM_CONFIG),
            undo: vec![Command::of(RESET)],
            files: Vec::new(),
            intention: None,
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
            "`crictl ps --all` and `journalctl -u kubelet` say what does not start; fix that, and \
             run this again",
        )
    }
}

/// Folders that kubeadm, kubelet and the pods' networks fill.
pub(crate) const FOLDERS: [&str; 4] =
    [KUBERNETES, "/usr/libexec/kubernetes", "/var/lib/cni", KUBELET];
