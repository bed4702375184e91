//! From a spec to its lock: what exactly everything is today.

use std::time::SystemTime;

use anyhow::bail;
use bundle_format::lock::{LOCK_VERSION, Lock, LockedTarget};

use crate::fetch::memory::Network;
use crate::outage::Problems;
use crate::spec::{SpecFile, combination};

mod checks;
mod documents;
mod files;
mod fits;
mod images;
mod inputs;
mod keys;
mod manifests;
mod on_nodes;
mod packages;
mod parallel;
mod places;
mod repositories;
mod upgrade;
mod upstreams;

pub(crate) use files::{beside_bundler, installer_sources};
pub use files::{location, read_location};
pub use fits::misfits;
pub(crate) use inputs::local_inputs;
pub(crate) use keys::read as read_keys;
pub use manifests::{apply_patches, images_of, keep_passes};
pub(crate) use repositories::{base_urls, expired_keys};
pub use upgrade::Kept;
pub use upstreams::Upstreams;

/// Finds out what `file` means now. What is cheap to ask comes first, and its
/// problems end the lock before a repository is read. All problems of such a part
/// are in the error.
pub fn resolve(file: &SpecFile, upstreams: &Upstreams, now: SystemTime) -> anyhow::Result<Lock> {
    resolve_keeping(None, file, upstreams, now)
}

/// The same with what stays as it was.
pub fn resolve_keeping(
    kept: Option<&Kept<'_>>,
    file: &SpecFile,
    upstreams: &Upstreams,
    now: SystemTime,
) -> anyhow::Result<Lock> {
    let spec = &file.spec;
    let combination = combination::check(spec);
    if !combination.refused.is_empty() {
        bail!("{}", combination.refused.join("\n"));
    }
    let mut wanted = images::Wanted::of_spec(spec);
    wanted.add_kubeadm(spec)?;
    // Before any of them is read: what is edited meanwhile is noticed at the build.
    let inputs = inputs::of(file)?;
    let places = places::places(file, &wanted, upstreams);
    places.announce(&upstreams.hosts);

    let mut problems = Problems::default();
    let documents = documents::lock(kept, file, wanted, upstreams, &mut problems);
    // Without a network no answer is waited for: all that the cache lacks is told.
    if upstreams.client.network() == Network::On {
        std::mem::take(&mut problems).end(&places, &upstreams.hosts)?;
    }
    let mut warnings = combination.warnings;
    let mut targets: Vec<LockedTarget> = Vec::new();
    let (mut files, mut rpms) = (documents.installers, Vec::new());
    for target in &spec.targets {
        let locked = packages::lock(kept, file, target, upstreams, now, &mut problems);
        if let Some(locked) = locked {
            rpms.extend(locked.rpms);
            files.extend(locked.keys);
            warnings.extend(locked.warnings);
            targets.push(locked.target);
        }
    }
    problems.end(&places, &upstreams.hosts)?;
    warnings.extend(documents.warnings);
    files.sort_by_cached_key(|file| file.path.to_string());
    rpms.sort_by_cached_key(|rpm| (rpm.target.clone(), rpm.package.to_string()));
    let lock = Lock {
        lock_version: LOCK_VERSION,
        name: spec.name.clone(),
        spec: file.digest,
        kubernetes: spec.kubernetes.version.value.clone(),
        containerd: spec.containerd.as_ref().map(|containerd| containerd.version.value.to_string()),
        sandbox_image: images::sandbox(spec),
        targets,
        rpms,
        images: documents.images,
        manifests: documents.manifests,
        files,
        inputs,
        cluster: spec.cluster.clone(),
        disabled_checks: checks::disabled(spec),
        warnings,
    };
    // Better now than when the bundle is read again.
    let problems = lock.problems();
    if !problems.is_empty() {
        bail!("{}", problems.join("\n"));
    }
    Ok(lock)
}
