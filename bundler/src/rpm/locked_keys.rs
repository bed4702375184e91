//! The keys of a locked target's repositories.

use bundle_format::lock::{FileKind, Lock, LockedFile, LockedTarget};

use super::key::Keyring;

/// The keys of each repository of the target, by the repository's id. What one repository
/// knows of a key is valid for all of the target. `read` gives the bytes of a key's file.
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
        keyrings.push((repository.id.clone(), keyring));
    }
    let mut all = Keyring::default();
    keyrings.iter().for_each(|(_, keyring)| all.unite(keyring));
    keyrings.iter_mut().for_each(|(_, keyring)| keyring.learn(&all));
    Ok(keyrings)
}
