//! Metadata that is signed with a hash that is broken.

use std::collections::BTreeSet;

use anyhow::bail;
use bundle_format::Lock;
use bundle_format::lock::LockedRepository;

/// A warning for each repository of a target whose metadata has no better signature than one
/// with SHA-1.
pub(super) fn warnings(target: &str, repositories: &[LockedRepository]) -> Vec<String> {
    let words = |own: &LockedRepository| {
        let key = own.repomd_signed_by.as_deref().unwrap_or_default();
        format!(
            "target {target}: the metadata of repository `{}` ({}) is signed with SHA-1 only, by \
             key {key}. SHA-1 is broken: two contents with one hash can be made. Ask the vendor \
             for a signature with SHA-256 or better",
            own.id, own.base_url
        )
    };
    repositories.iter().filter(|own| is_weak(own)).map(words).collect()
}

/// Refuses a lock that has SHA-1 over metadata where the lock before has a better hash, for a
/// repository of the same name or at the same place, by whichever key. The error has all such
/// repositories.
pub fn refuse_step_back(before: &Lock, today: &Lock) -> anyhow::Result<()> {
    let better: BTreeSet<_> = repositories(before)
        .filter(|(_, own)| own.repomd_signature.is_some() && !is_weak(own))
        .flat_map(|(target, own)| names(own).map(|name| (target, name)))
        .collect();
    let went_back: BTreeSet<(&str, &str)> = repositories(today)
        .filter(|(_, own)| is_weak(own))
        .filter(|(target, own)| {
            names(own).into_iter().any(|name| better.contains(&(*target, name)))
        })
        .map(|(target, own)| (target, own.id.as_str()))
        .collect();
    let lines: Vec<String> = went_back
        .into_iter()
        .map(|(target, id)| {
            format!(
                "target {target}: the metadata of repository `{id}` is signed with SHA-1 only, and it \
                 had a better hash when the lock was made"
            )
        })
        .collect();
    if !lines.is_empty() {
        bail!(
            "{}\nSomebody can have forged it: ask the vendor. If the vendor has gone back to SHA-1, \
             remove the lock and make it again",
            lines.join("\n")
        );
    }
    Ok(())
}

/// What a repository is known by.
fn names(repository: &LockedRepository) -> [&str; 2] {
    [&repository.id, repository.base_url.as_str()]
}

fn is_weak(repository: &LockedRepository) -> bool {
    repository.repomd_signature.as_ref().is_some_and(|signature| signature.hash == "SHA1")
}

/// The repositories of all releases, each with its target's name.
fn repositories(lock: &Lock) -> impl Iterator<Item = (&str, &LockedRepository)> {
    let targets = lock.targets.iter().chain(lock.hops.iter().flat_map(|hop| &hop.targets));
    targets.flat_map(|target| target.repositories.iter().map(|own| (target.id.as_str(), own)))
}
