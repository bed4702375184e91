//! The keys of a locked target's repositories.

use std::time::SystemTime;

use anyhow::bail;
use bundle_format::lock::{
    FileKind, Lock, LockedFile, LockedRepository, LockedTarget, RepomdSignature,
};

use super::key::Keyring;

/// The keys of each repository of the target, by the repository's id. What one repository
/// knows of a key is valid for all of the target. `read` gives the bytes of a key's file. An
/// error if the metadata of a repository is signed with a key that is none of its own.
pub fn keyrings(
    lock: &Lock,
    target: &LockedTarget,
    read: impl Fn(&LockedFile) -> anyhow::Result<Vec<u8>>,
) -> anyhow::Result<Vec<(String, Keyring)>> {
    let mut keyrings = Vec::new();
    for repository in &target.repositories {
        let mut keyring = Keyring::default();
        let keys = lock.files.iter().filter(|file| file.kind == FileKind::Key);
        for key in keys.filter(|file| file.path.is_key_of(&target.id, &repository.id)) {
            keyring.add(&key.path.to_string(), &read(key)?)?;
        }
        let own = keyring.fingerprints();
        if let Some(signer) = repository.repomd_signed_by.as_ref().filter(|key| !own.contains(key))
        {
            refuse(target, repository, signer)?;
        }
        keyrings.push((repository.id.clone(), keyring));
    }
    let mut all = Keyring::default();
    keyrings.iter().for_each(|(_, keyring)| all.unite(keyring));
    keyrings.iter_mut().for_each(|(_, keyring)| keyring.learn(&all));
    for (repository, (_, keyring)) in target.repositories.iter().zip(&keyrings) {
        let Some(RepomdSignature { key, .. }) = &repository.repomd_signature else { continue };
        let primary = keyring.signatory(key, None, SystemTime::now()).map(|by| by.fingerprint);
        if primary.is_none() || primary != repository.repomd_signed_by {
            refuse(target, repository, key)?;
        }
    }
    Ok(keyrings)
}

fn refuse(
    target: &LockedTarget,
    repository: &LockedRepository,
    signer: &str,
) -> anyhow::Result<()> {
    bail!(
        "repository {}/{}: its metadata is signed with {signer}, which is none of its keys: run \
         `bundler lock`, and build again",
        target.id,
        repository.id
    )
}
