//! A worker joins its cluster, by kubeadm.

use anyhow::Context;

use crate::engine::step::Step;
use crate::exec::Command;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::node::join::JoinFile;
use crate::node::kubeadm::{self, RESET};
use crate::node::kubectl::kubectl;
use crate::node::paths::{JOINED, KUBEADM_JOINED, KUBELET_CONF, SERVICE_FOLDER};
use crate::node::standing::{self, Standing};
use crate::receipt::StepName;
use crate::steps::control_plane::FOLDERS;
use crate::steps::file::{claims, secret_file};
use crate::steps::time;

/// Runs `kubeadm join`.
pub struct Join;

impl Step<Intent> for Join {
    fn name(&self) -> StepName {
        StepName::Join
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let (host, intent) = (node.host, node.intent);
        let path = format!("{SERVICE_FOLDER}/kubeadm-join.yaml");
        let question =
            format!("{} --request-timeout 10s get node {}", kubectl(KUBELET_CONF), intent.name);
        let is_in =
            match standing::standing(host, self.name(), KUBELET_CONF, KUBELET_CONF, &question)? {
                Standing::In => true,
                Standing::Waiting(command) => {
                    return Ok(vec![Change::Await { command, seconds: standing::PATIENCE }]);
                }
                Standing::Out => false,
            };
        let file = intent.join.as_ref().context("a worker needs a join file")?;
        let kept = secret_file(host, JOINED, &file.kept_text(&intent.cluster)?)?;
        if is_in && !host.was_interrupted(self.name()) {
            return Ok(kept);
        }
        let mut changes = kept;
        if !is_in {
            changes.extend(claims(host, &FOLDERS)?);
            let settings = intent.settings();
            // Written first: how this node joins, without the token.
            let joined = kubeadm::joined_configuration(&settings, file)?;
            changes.extend(secret_file(host, KUBEADM_JOINED, &joined)?);
            let text = kubeadm::join_configuration(&settings, file)?;
            changes.extend(secret_file(host, &path, &text)?);
            if host.was_interrupted(self.name()) {
                changes.push(Change::run(RESET));
            }
            changes.push(Change::Run {
                command: Command::of("kubeadm join --config").with(path.clone()),
                undo: vec![Command::of(RESET)],
                files: Vec::new(),
                intention: None,
            });
            // kubeadm is content when kubelet has its certificate. kubelet registers the
            // node a moment later.
            let command = Command::of(&question);
            changes.push(Change::Await { command, seconds: standing::PATIENCE });
        }
        if !is_in || host.exists(&path) {
            // The file holds the token.
            changes.push(Change::Remove { path: path.into() });
        }
        Ok(changes)
    }

    fn before(&self, node: &Node<'_>) -> anyhow::Result<()> {
        let token = || node.intent.join.as_ref().and_then(JoinFile::problem);
        let wrong = time::wrong_clock(node.host)?.or_else(token);
        wrong.map_or(Ok(()), |wrong| Err(wrong.into()))
    }

    fn cure(&self) -> Option<&'static str> {
        Some(
            "if the master does not know the token, make a new join file there with `installer token`; \
             `journalctl -u kubelet` says more of this node",
        )
    }
}
