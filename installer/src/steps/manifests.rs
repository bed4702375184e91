//! The bundle's manifests: the network of pods first, then what else it has, in
//! the bundle's order.

use std::path::PathBuf;

use bundle_format::layout::Content;
use bundle_format::lock::LockedManifest;

use super::kubeconfig::ADMIN;
use crate::change::Change;
use crate::exec::Command;
use crate::step::{Intent, Node, SERVICE_FOLDER, Step};

/// The manifest that `ingress: false` leaves out.
const INGRESS: &str = "ingress-nginx";

/// See the module.
pub struct Manifests;

impl Step for Manifests {
    fn name(&self) -> &'static str {
        "manifests"
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let folder = PathBuf::from(SERVICE_FOLDER).join("manifests");
        let mut changes = Vec::new();
        for manifest in wanted(node.intent) {
            let name = PathBuf::from(format!("{}.yaml", manifest.name));
            let path = folder.join(&name);
            let bytes = node.intent.bundle.read(&manifest.applied)?;
            let is_new = node.host.read(&path)?.is_none_or(|text| text.as_bytes() != bytes);
            let path = path.display().to_string();
            let kubectl = format!("kubectl --kubeconfig {ADMIN}");
            // `diff` exits with 1 where the cluster has something else.
            let is_applied = !is_new
                && node.host.query(&format!("{kubectl} diff --filename {path}")).succeeded();
            if is_applied {
                continue;
            }
            if is_new {
                let title = format!("manifests/{}.yaml", manifest.name);
                let content = Content { title, descriptor: manifest.applied.clone() };
                changes
                    .push(Change::Unpack { folder: folder.clone(), files: vec![(name, content)] });
            }
            let command = Command::of(&format!("{kubectl} apply --filename")).with(path);
            changes.push(Change::Run { command, undo: Vec::new() });
        }
        Ok(changes)
    }
}

fn wanted(intent: &Intent) -> impl Iterator<Item = &LockedManifest> {
    intent.lock().manifests.iter().filter(|manifest| {
        (intent.cluster.ingress || manifest.name != INGRESS)
            && !intent.cluster.skip_manifests.contains(&manifest.name)
    })
}
