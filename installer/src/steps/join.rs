//! A worker joins its cluster, by kubeadm.

use anyhow::Context;

use crate::engine::step::Step;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::node::join::JoinFile;
use crate::node::paths::{JOINED, KUBELET_CONF};
use crate::node::registered;
use crate::node::standing::{self, Standing};
use crate::receipt::StepName;
use crate::steps::file::secret_file;
use crate::steps::{joining, time};

/// Runs `kubeadm join`.
pub struct Join;

impl Step<Intent> for Join {
    fn name(&self) -> StepName {
        StepName::Join
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let (host, intent) = (node.host, node.intent);
        let question = registered::own_node(&intent.name).to_string();
        let file = intent.join.as_ref().context("a worker needs a join file")?;
        let kept = secret_file(host, JOINED, &file.kept_text(&intent.cluster)?)?;
        match standing::standing(host, self.name(), KUBELET_CONF, KUBELET_CONF, &question)? {
            Standing::In => Ok([kept, joining::left(host)].concat()),
            Standing::Waiting(command) => {
                Ok(vec![Change::Await { command, seconds: standing::PATIENCE }])
            }
            Standing::Out => {
                Ok([kept, joining::changes(node, self.name(), file, &question)?].concat())
            }
        }
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
