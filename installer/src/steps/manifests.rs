//! The bundle's manifests: the pods' network first, then the others in the bundle's
//! order.
//!
//! kubectl merges a manifest into what the cluster has, and keeps the manifest in an
//! annotation, so that it knows later what to remove. A manifest that is too large for
//! an annotation is merged by the API server, with a field manager of ours. kubectl's
//! own would be wrong: API servers before 1.21 would write the annotation too if an
//! earlier apply left one, and what a person applies by hand as that manager would
//! remove the rest of ours. A value in the manifest wins over a change by others
//! (`--force-conflicts`), as it does when kubectl merges. What others added stays.

use std::path::{Path, PathBuf};

use bundle_format::BundlePath;
use bundle_format::layout::Content;
use bundle_format::lock::{Descriptor, LockedManifest, LockedPass};
use bundle_format::parallel::each;

use crate::engine::step::Step;
use crate::exec::Command;
use crate::failure::Failure;
use crate::install::{Change, Node, OfInstall};
use crate::intent::Intent;
use crate::node::kubectl::{kubectl, readyz};
use crate::node::paths::{ADMIN_CONF, SERVICE_FOLDER};
use crate::receipt::StepName;
use crate::steps::{applied, bare_pods, jobs};

/// The longest wait in seconds: until the API server answers, until it serves a kind that was
/// defined, and until the controller manager has made a ServiceAccount.
const SERVED_SECONDS: u32 = 60;
/// Options for what the API server merges.
pub(crate) const BY_SERVER: &str = " --server-side --force-conflicts --field-manager=kubeferry";

/// Whether a manifest is the ingress, which `ingress: false` leaves out.
pub(crate) fn is_ingress(name: &str) -> bool {
    ["ingress-nginx", "traefik"].contains(&name)
}

/// Applies the bundle's manifests.
pub struct Manifests;

impl Step<Intent> for Manifests {
    fn name(&self) -> StepName {
        StepName::Manifests
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let folder = PathBuf::from(SERVICE_FOLDER).join("manifests");
        let mut changes = Vec::new();
        let parts: Vec<Part> = wanted(node.intent).flat_map(parts).collect();
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
        let command = readyz(ADMIN_CONF);
        changes.push(Change::Await { command, seconds: SERVED_SECONDS });
        let mut may_have_pods = false;
        for part in &parts {
            let text = node.intent.bundle.read(&part.content.descriptor)?;
            let text = String::from_utf8_lossy(&text);
            if !may_have_pods && bare_pods::are_in(&text) {
                may_have_pods = true;
                let words = format!("{} -n default get sa default", kubectl(ADMIN_CONF));
                let command = Command::of(&words);
                changes.push(Change::Await { command, seconds: SERVED_SECONDS });
            }
            let jobs = jobs::deleted(node.host, &text);
            changes.extend(jobs.into_iter().map(Change::run_command));
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

/// A file that is applied in one command.
#[derive(Clone)]
struct Part {
    /// Its name in the folder on the node.
    name: PathBuf,
    content: Content,
    defines_kinds: bool,
    by_server: bool,
}

/// The files of a manifest, in the order in which they are applied.
fn parts(manifest: &LockedManifest) -> Vec<Part> {
    let part = |path: BundlePath, descriptor: &Descriptor| {
        let name = path.below_folder().into();
        let content = Content { path, descriptor: descriptor.clone() };
        Part { name, content, defines_kinds: false, by_server: false }
    };
    if manifest.passes.is_empty() {
        return vec![part(manifest.path(), &manifest.applied)];
    }
    let part_of_pass = |(path, pass): (BundlePath, &LockedPass)| Part {
        defines_kinds: pass.defines_kinds,
        by_server: pass.by_server,
        ..part(path, &pass.content)
    };
    manifest.passes().map(part_of_pass).collect()
}

/// Whether the cluster has all that the parts say. Both ways are asked about at once.
fn is_applied(node: &Node<'_>, folder: &Path, parts: &[Part]) -> bool {
    let has = |by_server: &bool| {
        let own = parts.iter().filter(|part| part.by_server == *by_server);
        let files: Vec<PathBuf> = own.map(|part| folder.join(&part.name)).collect();
        let options = if *by_server { BY_SERVER } else { "" };
        files.is_empty() || applied::is_applied(node.host, &files, options)
    };
    each(&[false, true], 2, has).into_iter().all(|has| has)
}

fn on_file(words: &str, path: &Path) -> Command {
    Command::of(&format!("{} {words} --filename", kubectl(ADMIN_CONF)))
        .with(path.display().to_string())
}

/// Names of manifests to skip that the bundle does not have.
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
        (intent.cluster.ingress || !is_ingress(&manifest.name))
            && !intent.cluster.skip_manifests.contains(&manifest.name)
    })
}
