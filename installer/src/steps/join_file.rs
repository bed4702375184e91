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

/// For how many hours a token holds, where nobody says.
pub(crate) const HOURS: u32 = 24;

/// What makes a new token, and says how to join by it.
pub(crate) fn command(hours: u32) -> Command {
    Command::of(&format!(
        "kubeadm token create --ttl {hours}h --print-join-command --kubeconfig {ADMIN}"
    ))
}

impl Step for WriteJoinFile {
    fn name(&self) -> &'static str {
        "join-file"
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let found = node.host.read(path())?.map(|text| JoinFile::parse(&text, &path()));
        if found.is_some_and(|found| found.is_ok_and(|one| one.cluster == node.intent.cluster)) {
            return Ok(Vec::new());
        }
        let (command, path) = (command(HOURS), path());
        Ok(vec![Change::Capture { command, render: Render::JoinFile, path }])
    }
}
