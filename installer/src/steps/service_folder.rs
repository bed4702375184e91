//! The folder for what people look for: kubeadm's configuration, manifests, the join
//! file.

use std::path::PathBuf;

use crate::engine::step::Step;
use crate::install::{Change, Node};
use crate::intent::Intent;
use crate::node::paths::SERVICE_FOLDER;
use crate::receipt::StepName;

/// Makes the folder.
pub struct ServiceFolder;

impl Step<Intent> for ServiceFolder {
    fn name(&self) -> StepName {
        StepName::ServiceFolder
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let path = PathBuf::from(SERVICE_FOLDER);
        let is_there = node.host.exists(&path);
        Ok(if is_there { Vec::new() } else { vec![Change::Claim { path, mode: 0o755 }] })
    }
}
