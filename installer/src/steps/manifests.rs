//! The bundle's manifests: the network of pods first, then what else it has, in
//! the bundle's order.

use std::path::PathBuf;

use bundle_format::layout::Content;
use bundle_format::lock::LockedManifest;

use super::kubeconfig::{ADMIN, kubectl};
use crate::change::Change;
use crate::exec::Command;
use crate::failure::Failure;
use crate::step::{Intent, Node, SERVICE_FOLDER, Step};

/// The manifest that `ingress: false` leaves out.
pub(crate) const INGRESS: &str = "ingress-nginx";

/// See the module.
pub struct Manifests;

impl Step for Manifests {
    fn name(&self) -> &'static str {
        "manifests"
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let folder = PathBuf::from(SERVICE_FOLDER).join("manifests");
        let mut changes = Vec::new();
        let kubectl = kubectl(ADMIN);
        let mut compare = Command::of(&format!("{kubectl} diff"));
        for manifest in wanted(node.intent) {
            let name = PathBuf::from(format!("{}.yaml", manifest.name));
            let path = folder.join(&name);
            let bytes = node.intent.bundle.read(&manifest.applied)?;
            if node.host.bytes(&path)?.is_none_or(|own| own != bytes) {
                let title = format!("manifests/{}.yaml", manifest.name).parse()?;
                let content = Content { title, descriptor: manifest.applied.clone() };
                changes
                    .push(Change::Unpack { folder: folder.clone(), files: vec![(name, content)] });
            }
            compare = compare.with(format!("--filename={}", path.display()));
        }
        // `diff` exits with 1 where the cluster has something else.
        if wanted(node.intent).next().is_none()
            || changes.is_empty() && node.host.ask(&compare).succeeded()
        {
            return Ok(changes);
        }
        for manifest in wanted(node.intent) {
            let path = folder.join(format!("{}.yaml", manifest.name)).display().to_string();
            let command = Command::of(&format!("{kubectl} apply --filename")).with(path);
            changes.push(Change::Run { command, undo: Vec::new(), files: Vec::new() });
        }
        Ok(changes)
    }
}

/// A name that is not the bundle's would skip nothing.
pub(crate) fn problems(intent: &Intent) -> Vec<Failure> {
    let names: Vec<&str> = intent.lock().manifests.iter().map(|one| one.name.as_str()).collect();
    let strange = intent.cluster.skip_manifests.iter().filter(|one| !names.contains(&one.as_str()));
    let problem = |name| {
        Failure::new(
            format!("skipManifests names {name}, and the bundle has no such manifest"),
            match names.as_slice() {
                [] => "take it out: the bundle has none".to_owned(),
                names => format!("take it out, or name one of {}", names.join(", ")),
            },
        )
    };
    strange.map(problem).collect()
}

/// The manifests that are applied.
pub(crate) fn wanted(intent: &Intent) -> impl Iterator<Item = &LockedManifest> {
    intent.lock().manifests.iter().filter(|manifest| {
        (intent.cluster.ingress || manifest.name != INGRESS)
            && !intent.cluster.skip_manifests.contains(&manifest.name)
    })
}
