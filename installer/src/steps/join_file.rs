//! The join file for workers, after the first master is ready. `installer token`
//! makes another when its token has expired.

use std::path::PathBuf;

use super::kubeconfig::ADMIN;
use crate::change::{Change, Render};
use crate::exec::Command;
use crate::step::{Node, SERVICE_FOLDER, Step};

/// See the module.
pub struct WriteJoinFile;

/// Where it is.
pub fn path() -> PathBuf {
    PathBuf::from(SERVICE_FOLDER).join("join.yaml")
}

/// What makes a new one, whose token holds for a day.
pub fn change() -> Change {
    let command = "kubeadm token create --ttl 24h --print-join-command --kubeconfig";
    Change::Capture {
        command: Command::of(command).with(ADMIN),
        render: Render::JoinFile,
        path: path(),
    }
}

impl Step for WriteJoinFile {
    fn name(&self) -> &'static str {
        "join-file"
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        Ok(if node.host.exists(path()) { Vec::new() } else { vec![change()] })
    }
}
