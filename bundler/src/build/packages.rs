//! Checks every package, and makes the metadata of the bundle's own repositories from
//! the checked packages.

use std::collections::BTreeSet;
use std::fs::File;
use std::thread::available_parallelism;

use anyhow::{Context, bail};
use bundle_format::BundlePath;
use bundle_format::layout::{Content, FILE_TYPE};
use bundle_format::lock::{Lock, LockedRpm, LockedTarget};
use bundle_format::parallel;

use super::task::Task;
use crate::fetch::checksum::Checksum;
use crate::lock::keys;
use crate::rpm::key::{ExpiredKeys, Keyring};
use crate::rpm::local_repository::{self, Member};
use crate::rpm::locked_keys;
use crate::rpm::node_rpm::ADVICE;
use crate::rpm::package_signature::{self, PackageError};
use crate::upstreams::Upstreams;

/// Checks the packages in the cache. Returns the repodata of each target, whose bytes
/// are then in the cache.
pub(super) fn verify(task: &Task<'_>) -> anyhow::Result<Vec<Content>> {
    let Task { file, lock, upstreams, .. } = *task;
    let mut contents = Vec::new();
    let mut problems = Vec::new();
    let mut advice = None;
    for target in &lock.targets {
        let mut members = Vec::new();
        let keyrings = keyrings(lock, target, upstreams)?;
        let rpms = lock.rpms.iter().filter(|rpm| rpm.target == target.id);
        let rpms: Vec<&LockedRpm> = rpms.collect();
        let processors = available_parallelism().map_or(1, usize::from);
        let checked = parallel::each(&rpms, processors, |rpm| check(task, target, rpm, &keyrings));
        for (rpm, checked) in rpms.into_iter().zip(checked) {
            match checked {
                Ok(member) => members.push(member),
                Err(error) => {
                    match error.downcast_ref::<PackageError>() {
                        Some(PackageError::NodeRpm { .. }) => advice = Some(ADVICE),
                        Some(error) if error.is_of_other_bytes() => {
                            upstreams.cache.forget(rpm.digest);
                        }
                        _ => {}
                    }
                    problems.push(format!("{} from {}: {error:#}", rpm.package, rpm.source));
                }
            }
        }
        for (name, bytes) in local_repository::metadata(members)? {
            let descriptor = upstreams.keep(FILE_TYPE, &bytes)?;
            let path = BundlePath::Repodata { target: target.id.clone(), file: name };
            let path = if file.is_hop { path.of_hop(&lock.kubernetes) } else { path };
            contents.push(Content { path, descriptor });
        }
    }
    problems.extend(advice.map(str::to_owned));
    if !problems.is_empty() {
        bail!("{}\nthe spec is {}", problems.join("\n"), file.path.display());
    }
    Ok(contents)
}

/// The keys of each repository of the target, by the repository's id. They must be those of
/// the lock.
fn keyrings(
    lock: &Lock,
    target: &LockedTarget,
    upstreams: &Upstreams,
) -> anyhow::Result<Vec<(String, Keyring)>> {
    let keyrings =
        locked_keys::keyrings(lock, target, |key| Ok(upstreams.cache.document(&key.content)?))?;
    for (repository, (_, keyring)) in target.repositories.iter().zip(&keyrings) {
        // A lock of an earlier version names a key once for each of its
        // copies.
        let locked: BTreeSet<&String> = repository.keys.iter().collect();
        let found = keyring.fingerprints();
        if !locked.is_empty() && found.iter().collect::<BTreeSet<_>>() != locked {
            bail!(
                "the keys of repository `{}` are not those of the lock: run `bundler lock`",
                repository.id
            );
        }
    }
    Ok(keyrings)
}

fn check(
    task: &Task<'_>,
    target: &LockedTarget,
    rpm: &LockedRpm,
    keyrings: &[(String, Keyring)],
) -> anyhow::Result<Member> {
    let Task { file, upstreams, now, .. } = *task;
    let targets = file.spec.targets.iter();
    let repository = targets
        .filter(|own| own.id() == target.id)
        .flat_map(|own| &own.repositories)
        .find(|repository| repository.id.value == rpm.repository);
    let keyring = keyrings.iter().find(|(id, _)| *id == rpm.repository);
    let (Some(repository), Some((_, keyring))) = (repository, keyring) else {
        bail!("the spec does not know its repository `{}`", rpm.repository);
    };
    let signature = keys::demanded(repository, keyring, &target.family);
    let path = upstreams.cache.path(rpm.digest);
    let opened = File::open(&path).with_context(|| format!("opening {}", path.display()))?;
    let checksum = Checksum::from(rpm.digest);
    let package = package_signature::verify(opened, &rpm.package, &checksum, signature, now)?;
    if let Some(key) = package.signed_by() {
        upstreams.warn_of_end(key, ExpiredKeys::from(&repository.expired_keys), now);
    }
    let header = package.into_header();
    Ok(Member { header, file_name: rpm.package.file_name(), digest: rpm.digest, size: rpm.size })
}
