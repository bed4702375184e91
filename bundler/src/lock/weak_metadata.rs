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

/// Refuses a lock that has SHA-1 over metadata where the lock before has a better hash by the
/// same key. The error has all such repositories.
pub fn refuse_step_back(before: &Lock, today: &Lock) -> anyhow::Result<()> {
    let signed = |lock| -> BTreeSet<_> {
        let all = repositories(lock).filter(|(_, own)| own.repomd_signature.is_some());
        all.map(|(target, own)| ((target, &own.id, &own.repomd_signed_by), is_weak(own))).collect()
    };
    let before = signed(before);
    let went_back =
        signed(today).into_iter().filter(|(one, weak)| *weak && before.contains(&(*one, false)));
    let lines: Vec<String> = went_back
        .map(|((target, id, key), _)| {
            let key = key.as_deref().unwrap_or_default();
            format!(
                "target {target}: the metadata of repository `{id}` is signed with SHA-1 only, and \
                 key {key} signed it with a better hash when the lock was made"
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

fn is_weak(repository: &LockedRepository) -> bool {
    repository.repomd_signature.as_ref().is_some_and(|signature| signature.hash == "SHA1")
}

/// The repositories of all releases, each with its target's name.
fn repositories(lock: &Lock) -> impl Iterator<Item = (&str, &LockedRepository)> {
    let targets = lock.targets.iter().chain(lock.hops.iter().flat_map(|hop| &hop.targets));
    targets.flat_map(|target| target.repositories.iter().map(|own| (target.id.as_str(), own)))
}
