//! What the cluster has of kubeadm's objects and of the bundle's manifests, as it was.

use super::files::{self, Which};
use crate::engine::change::Change;
use crate::exec::Command;
use crate::host::Host;
use crate::node::kubectl::kubectl;
use crate::node::paths::ADMIN_CONF;
use crate::receipt::{Deed, Line};
use crate::steps::jobs;
use crate::steps::manifests::BY_SERVER;
use crate::steps::upgrade::objects::OBJECTS;

/// It is there when they are as they were.
const BACK: &str = "/var/lib/kubeferry/upgrade/objects-back";
/// kubectl keeps what it applied in an annotation, which holds no larger document.
const LARGE: usize = 150 << 10;

/// The changes that bring them back.
pub(super) fn changes<C>(host: &Host) -> anyhow::Result<Vec<Change<C>>> {
    if host.exists(BACK) {
        return Ok(Vec::new());
    }
    let kubectl = kubectl(ADMIN_CONF);
    let mut changes = Vec::new();
    if host.exists(OBJECTS) {
        changes.push(Change::run(&format!("{kubectl} replace --filename {OBJECTS}")));
    }
    // Only those that the upgrade changed: others may have been changed by hand since.
    let mut files = files::changes(host, Which::Manifests)?;
    files.sort_by_key(|file| place(host, file));
    for file in files {
        let Change::Write { path, text, .. } = &file else { continue };
        let text = String::from_utf8_lossy(text);
        changes.extend(jobs::deleted(host, &text).into_iter().map(Change::run_command));
        let is_large = text.split("\n---").any(|document| document.len() > LARGE);
        let by_server = if is_large { BY_SERVER } else { "" };
        let apply = Command::of(&format!("{kubectl} apply{by_server} --filename"));
        let copy = files::copy_of(&path.to_string_lossy());
        changes.push(Change::run_command(apply.with(copy.to_string_lossy())));
        // Last: as long as it differs, it is still to be applied.
        changes.push(file);
    }
    changes.push(Change::write_secret(BACK, ""));
    Ok(changes)
}

/// The place of a manifest in the order in which they were first applied, which was their
/// bundle's.
fn place<C>(host: &Host, file: &Change<C>) -> usize {
    let Change::Write { path, .. } = file else { return usize::MAX };
    let end = format!("--filename {}", path.display());
    let is_it = |line: &Line| {
        matches!(line, Line::Deed { deed: Deed::Ran { command, .. }, .. }
            if command.to_string().ends_with(&end))
    };
    host.lines().iter().position(is_it).unwrap_or(usize::MAX)
}
