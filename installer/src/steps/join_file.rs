//! The join file for workers, after the first master is ready, and again when the
//! cluster file has changed. `installer token` makes another when its token has
//! expired.

use std::path::PathBuf;

use super::kubeconfig::ADMIN;
use crate::change::{Change, Render};
use crate::exec::Command;
use crate::join::JoinFile;
use crate::step::{Node, SERVICE_FOLDER, Step};

/// See the module.
pub struct WriteJoinFile;

/// Where it is.
pub fn path() -> PathBuf {
    PathBuf::from(SERVICE_FOLDER).join("join.yaml")
}

/// What makes a new token, which holds for a day, and says how to join by it.
pub(crate) fn command() -> Command {
    Command::of("kubeadm token create --ttl 24h --print-join-command --kubeconfig").with(ADMIN)
}

impl Step for WriteJoinFile {
    fn name(&self) -> &'static str {
        "join-file"
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let found = JoinFile::load(&node.host.path(path()));
        if found.is_ok_and(|found| found.cluster == node.intent.cluster) {
            return Ok(Vec::new());
        }
        let (command, path) = (command(), path());
        Ok(vec![Change::Capture { command, render: Render::JoinFile, path }])
    }
}
