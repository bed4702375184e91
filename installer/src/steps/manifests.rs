//! The bundle's manifests: the network of pods first, then what else it has, in
//! the bundle's order.
//!
//! kubectl merges what a manifest says into what the cluster has, and keeps it in
//! an annotation, so that it knows what to take out later. What is too large for
//! that, the API server merges, in our own name: in kubectl's, API servers before
//! 1.21 would write the annotation too, where an earlier apply had left one, and
//! whatever a person applies in that name by hand would take out the rest of ours.
//! Where somebody else has changed a value that the manifest has, the manifest
//! wins (`--force-conflicts`), as it does where kubectl merges; what others have
//! added stays.

use std::path::{Path, PathBuf};

use bundle_format::layout::Content;
use bundle_format::lock::{Descriptor, LockedManifest};

use crate::engine::step::Step;
use crate::exec::Command;
use crate::failure::Failure;
use crate::install::{Change, Node, OfInstall};
use crate::intent::Intent;
use crate::node::kubectl::kubectl;
use crate::node::paths::ADMIN_CONF;
use crate::node::paths::SERVICE_FOLDER;
use crate::receipt::StepName;

/// How long a definition may take until the API server serves its kind.
const SERVED_SECONDS: u32 = 60;
/// Words for what the API server merges.
const BY_SERVER: &str = " --server-side --force-conflicts --field-manager=kubeferry";

/// The manifest that `ingress: false` leaves out.
pub(crate) const INGRESS: &str = "ingress-nginx";

/// See the module.
pub struct Manifests;

impl Step<Intent> for Manifests {
    fn name(&self) -> StepName {
        StepName::Manifests
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let folder = PathBuf::from(SERVICE_FOLDER).join("manifests");
        let mut changes = Vec::new();
        let parts: Vec<Vec<Part>> =
            wanted(node.intent).map(parts).collect::<anyhow::Result<_>>()?;
        let parts = parts.concat();
        for part in &parts {
            let path = folder.join(&part.name);
            let bytes = node.intent.bundle.read(&part.content.descriptor)?;
            if node.host.bytes(&path)?.is_none_or(|own| own != bytes) {
                let files = vec![(part.name.clone(), part.content.clone())];
                changes.push(Change::Own(OfInstall::Unpack { folder: folder.clone(), files }));
            }
        }
        if changes.is_empty() && is_applied(node, &folder, &parts) {
            return Ok(changes);
        }
        for part in &parts {
            let path = folder.join(&part.name);
            let options = if part.by_server { BY_SERVER } else { "" };
            let command = on_file(&format!("apply{options}"), &path);
            changes.push(Change::run_command(command));
            if part.defines_kinds {
                let command = on_file("wait --for=condition=Established --timeout=5s", &path);
                changes.push(Change::Await { command, seconds: SERVED_SECONDS });
            }
        }
        Ok(changes)
    }
}

/// A file that is applied at once.
#[derive(Clone)]
struct Part {
    /// Its name in the node's folder.
    name: PathBuf,
    content: Content,
    defines_kinds: bool,
    by_server: bool,
}

/// The files of a manifest, in the order in which they are applied.
fn parts(manifest: &LockedManifest) -> anyhow::Result<Vec<Part>> {
    let part = |title: String, descriptor: &Descriptor| {
        let name = title.trim_start_matches("manifests/").into();
        let content = Content { title: title.parse()?, descriptor: descriptor.clone() };
        anyhow::Ok(Part { name, content, defines_kinds: false, by_server: false })
    };
    if manifest.passes.is_empty() {
        return Ok(vec![part(format!("manifests/{}.yaml", manifest.name), &manifest.applied)?]);
    }
    let passes = manifest.passes.iter().enumerate();
    passes
        .map(|(index, pass)| {
            Ok(Part {
                defines_kinds: pass.defines_kinds,
                by_server: pass.by_server,
                ..part(manifest.title_of_pass(index), &pass.content)?
            })
        })
        .collect()
}

/// Whether the cluster has what all parts say. `diff` exits with 1 where it has
/// something else.
fn is_applied(node: &Node<'_>, folder: &Path, parts: &[Part]) -> bool {
    [false, true].into_iter().all(|by_server| {
        let options = if by_server { BY_SERVER } else { "" };
        let mut own = parts.iter().filter(|part| part.by_server == by_server).peekable();
        if own.peek().is_none() {
            return true;
        }
        let compare = Command::of(&format!("{} diff{options}", kubectl(ADMIN_CONF)));
        let compare = own.fold(compare, |compare, part| {
            compare.with(format!("--filename={}", folder.join(&part.name).display()))
        });
        node.host.ask(&compare).succeeded()
    })
}

fn on_file(words: &str, path: &Path) -> Command {
    Command::of(&format!("{} {words} --filename", kubectl(ADMIN_CONF)))
        .with(path.display().to_string())
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
