//! Makes the parts of a lock, one after another.

use anyhow::bail;
use bundle_format::lock::{LOCK_VERSION, Lock, LockedFile, LockedInput};

use super::documents::{self, Documents};
use super::packages::{self, LockedPackages};
use super::task::Task;
use super::wanted::{self, Wanted};
use super::{disabled_checks, inputs, places};
use crate::fetch::memory::Network;
use crate::outage::Problems;
use crate::spec::combination;

/// Finds out what the spec means now. Quick questions come first; if any of them
/// fails, no repository is read. The error has all problems of the part that failed.
pub fn resolve(task: &Task<'_>) -> anyhow::Result<Lock> {
    let Task { file, upstreams, .. } = *task;
    let spec = &file.spec;
    let combination = combination::check(spec);
    if !combination.refused.is_empty() {
        bail!("{}", combination.refused.join("\n"));
    }
    let mut wanted = Wanted::of_spec(spec);
    wanted.add_kubeadm(spec)?;
    // Before the files are read: then a build notices a file that is edited in
    // between.
    let inputs = inputs::of(file)?;
    let places = places::places(file, &wanted, upstreams);
    places.announce(&upstreams.hosts);

    let mut problems = Problems::default();
    let documents = documents::lock(task, wanted, &mut problems);
    // Without a network nothing is waited for, and the error names everything that
    // the cache lacks.
    if upstreams.client.network() == Network::On {
        std::mem::take(&mut problems).end(&places, &upstreams.hosts)?;
    }
    let targets = spec.targets.iter();
    let packages: Vec<LockedPackages> =
        targets.filter_map(|target| packages::lock(task, target, &mut problems)).collect();
    problems.end(&places, &upstreams.hosts)?;
    let mut lock = put_together(task, inputs, documents, packages);
    lock.warnings.splice(..0, combination.warnings);
    // Better now than when somebody reads the bundle.
    let problems = lock.problems();
    if !problems.is_empty() {
        bail!("{}", problems.join("\n"));
    }
    Ok(lock)
}

/// Puts the lock together from its parts.
fn put_together(
    task: &Task<'_>,
    inputs: Vec<LockedInput>,
    documents: Documents,
    packages: Vec<LockedPackages>,
) -> Lock {
    let spec = &task.file.spec;
    let (mut targets, mut rpms, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
    let mut files: Vec<LockedFile> = documents.installers;
    for locked in packages {
        targets.push(locked.target);
        rpms.extend(locked.rpms);
        files.extend(locked.keys);
        warnings.extend(locked.warnings);
    }
    warnings.extend(documents.warnings);
    files.sort_by_cached_key(|file| file.path.to_string());
    rpms.sort_by_cached_key(|rpm| (rpm.target.clone(), rpm.package.to_string()));
    Lock {
        lock_version: LOCK_VERSION,
        name: spec.name.clone(),
        spec: task.file.digest,
        kubernetes: spec.kubernetes.version.value.clone(),
        containerd: spec.containerd.as_ref().map(|containerd| containerd.version.value.to_string()),
        sandbox_image: wanted::sandbox(spec),
        targets,
        rpms,
        images: documents.images,
        manifests: documents.manifests,
        files,
        inputs,
        cluster: spec.cluster.clone(),
        disabled_checks: disabled_checks::of(spec),
        warnings,
    }
}
