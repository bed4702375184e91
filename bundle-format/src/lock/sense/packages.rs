//! Packages, and the checks that were made on them.

use std::collections::HashSet;

use super::names::{no_password, unique};
use crate::bounds::MAX_TARGETS;
use crate::bundle_path::BundlePath;
use crate::lock::check::CheckName;
use crate::lock::document::Lock;
use crate::lock::system::is_field;
use crate::lock::target::LockedRepository;
use crate::problems::Problems;
use crate::text::brief;

pub(super) fn check(lock: &Lock, problems: &mut Problems) {
    unique("target", lock.targets.iter().map(|target| &target.id), problems);
    if lock.targets.len() > MAX_TARGETS {
        problems.add(|| format!("it has more than {MAX_TARGETS} targets"));
    }
    let mut known = HashSet::new();
    for target in &lock.targets {
        if target.id != format!("{}-{}", target.family, target.architecture)
            || target.id.contains('/')
        {
            problems.add(|| format!("the target `{}` is called otherwise", brief(&target.id)));
        }
        for system in &target.systems {
            let wrong = system.fields().any(|(name, value)| !is_field(name) || value.is_empty());
            if system.is_empty() || wrong {
                let (id, system) = (brief(&target.id), brief(&system.to_string()));
                problems.add(|| format!("the target `{id}` is for no system by `{system}`"));
            }
        }
        let ids = target.repositories.iter().map(|one| format!("{}/{}", target.id, one.id));
        unique("repository", ids, problems);
        for repository in &target.repositories {
            known.insert((target.id.as_str(), repository.id.as_str()));
            no_password(&repository.id, repository.base_url.as_str(), problems);
        }
    }
    let names = lock.rpms.iter().map(|rpm| format!("{} for {}", rpm.package, rpm.target));
    unique("package", names, problems);
    for rpm in &lock.rpms {
        let package = || brief(&rpm.package.to_string());
        if !known.contains(&(rpm.target.as_str(), rpm.repository.as_str())) {
            problems.add(|| {
                format!(
                    "package {}: no repository `{}` of a target `{}`",
                    package(),
                    brief(&rpm.repository),
                    brief(&rpm.target)
                )
            });
        }
        if rpm.package.file_name().contains('/') {
            problems.add(|| {
                format!(
                    "package {}: its name contains `/`, so it cannot be a file's name",
                    package()
                )
            });
        }
        no_password(&rpm.package, rpm.source.as_str(), problems);
    }
    signatures(lock, problems);
}

/// A check is off only if the spec switched it off, with a reason. An empty or
/// missing field never switches one off: without `keys`, a node would install
/// packages that nobody signed.
fn signatures(lock: &Lock, problems: &mut Problems) {
    let mut off = HashSet::new();
    for disabled in &lock.disabled_checks {
        let (check, subject) = (disabled.check, &disabled.subject);
        if disabled.reason.trim().is_empty() {
            let subject = brief(subject);
            problems.add(|| format!("{check} is off for {subject}, and no reason is given"));
        } else {
            off.insert((check, subject.clone()));
        }
    }
    let with_keys = key_files(lock);
    for target in &lock.targets {
        for repository in &target.repositories {
            let subject = format!("{}/{}", target.id, repository.id);
            let is_on = |check: CheckName| !off.contains(&(check, subject.clone()));
            let mut tell = |words: &str| {
                problems.add(|| format!("repository {}: {words}", brief(&subject)));
            };
            if repository.keys.is_empty() && is_on(CheckName::Gpgcheck) {
                tell("it has no keys, and its gpgcheck is not switched off");
            }
            if repository.repomd_signed_by.is_none() && is_on(CheckName::RepoGpgcheck) {
                tell("its metadata has no signer, and its repoGpgcheck is not switched off");
            }
            if repository.repomd_signed_by.is_some() && !is_on(CheckName::RepoGpgcheck) {
                tell("its metadata has a signer, though its repoGpgcheck is switched off");
            }
            if repository.repomd_signed_by.is_none() && repository.repomd_signature.is_some() {
                tell("its metadata has a signature, and no signer");
            }
            // Without `gpgcheck`, only who reads the keys themselves can tell.
            let is_own = |signer: &String| repository.keys.contains(signer);
            if !repository.keys.is_empty() && !repository.repomd_signed_by.iter().all(is_own) {
                tell("its metadata is signed with a key that is none of its keys");
            }
            if !fingerprints(repository).all(is_fingerprint) {
                tell("one of its keys' fingerprints is not a fingerprint");
            }
            if !repository.keys.is_empty()
                && !with_keys.contains(&(target.id.as_str(), repository.id.as_str()))
            {
                let (target, repository) = (target.id.clone(), repository.id.clone());
                let key = BundlePath::Key { target, repository, number: 1 };
                tell(&format!("the key {} is not there", brief(&key.to_string())));
            }
        }
    }
}

/// The repositories, by target and id, that have a key among the lock's files.
fn key_files(lock: &Lock) -> HashSet<(&str, &str)> {
    let keys = lock.files.iter().filter_map(|file| match &file.path {
        BundlePath::Key { target, repository, .. } => Some((target.as_str(), repository.as_str())),
        _ => None,
    });
    keys.collect()
}

fn fingerprints(repository: &LockedRepository) -> impl Iterator<Item = &str> {
    let signature = repository.repomd_signature.iter().map(|own| &own.key);
    let keys = repository.keys.iter().chain(&repository.repomd_signed_by).chain(signature);
    keys.map(String::as_str)
}

/// A fingerprint has 16 bytes (version 3 of OpenPGP) to 32 bytes (version 6).
fn is_fingerprint(text: &str) -> bool {
    (32..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
