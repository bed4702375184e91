//! The join file for workers. It is written when the master is ready, and again when
//! the cluster file has changed. When its token has expired, `installer token` makes
//! a new one.

use crate::engine::step::Step;
use crate::install::{Change, Node, OfInstall};
use crate::intent::Intent;
use crate::node::join::{self, JoinFile};
use crate::receipt::StepName;

/// Writes the join file.
pub struct WriteJoinFile;

impl Step<Intent> for WriteJoinFile {
    fn name(&self) -> StepName {
        StepName::JoinFile
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let found = node.host.read(join::path())?.map(|text| JoinFile::parse(&text, &join::path()));
        if found.is_some_and(|found| found.is_ok_and(|one| one.cluster == node.intent.cluster)) {
            return Ok(Vec::new());
        }
        let (command, path) = (join::token_command(join::HOURS), join::path());
        Ok(vec![Change::Own(OfInstall::WriteJoinFile { command, path })])
    }
}
