//! What the cluster has of kubeadm's objects and of the bundle's manifests, as it was.

use crate::engine::change::Change;
use crate::exec::Command;
use crate::host::Host;
use crate::node::kubectl::kubectl;
use crate::node::paths::{ADMIN_CONF, SERVICE_FOLDER};
use crate::steps::jobs;
use crate::steps::upgrade::copy::{COPY, OBJECTS};

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
    let folder = format!("{SERVICE_FOLDER}/manifests");
    for name in manifests(host, &format!("{COPY}{folder}"))? {
        let text = host.read(format!("{COPY}{folder}/{name}"))?.unwrap_or_default();
        changes.extend(jobs::deleted(host, &text).into_iter().map(Change::run_command));
        let is_large = text.split("\n---").any(|document| document.len() > LARGE);
        let by_server = match is_large {
            true => " --server-side --force-conflicts --field-manager=kubeferry",
            false => "",
        };
        let apply = format!("{kubectl} apply{by_server} --filename");
        changes.push(Change::run_command(Command::of(&apply).with(format!("{folder}/{name}"))));
    }
    changes.push(Change::write_secret(BACK, ""));
    Ok(changes)
}

/// The files below a folder, by their paths in it.
fn manifests(host: &Host, folder: &str) -> anyhow::Result<Vec<String>> {
    let mut all = Vec::new();
    for name in host.list(folder)? {
        let inner = format!("{folder}/{name}");
        if host.path(&inner).is_dir() {
            let below = manifests(host, &inner)?;
            all.extend(below.into_iter().map(|one| format!("{name}/{one}")));
        } else {
            all.push(name);
        }
    }
    Ok(all)
}
