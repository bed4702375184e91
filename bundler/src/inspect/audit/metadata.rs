//! Who signed the metadata of a bundle's repositories. `bundler lock` checked that, and the
//! metadata is not in the bundle. Its key is.

use std::time::SystemTime;

use bundle_format::archive::reader::Bundle;
use bundle_format::lock::{CheckName, Lock, LockedFile, LockedRepository};

use super::voucher::{Audited, By, Voucher, off};
use crate::rpm::key::Keyring;
use crate::rpm::locked_keys;

/// The metadata of each repository of a release, with who signed it.
pub(super) fn audit(bundle: &Bundle, lock: &Lock, now: SystemTime) -> anyhow::Result<Vec<Audited>> {
    let mut all = Vec::new();
    for target in &lock.targets {
        let read = |key: &LockedFile| Ok(bundle.read(&key.content)?);
        let keyrings = locked_keys::keyrings(lock, target, read)?;
        for (repository, (_, keyring)) in target.repositories.iter().zip(&keyrings) {
            let subject = format!("{}/{}", target.id, repository.id);
            let nobody = || {
                Voucher::nobody(off(lock, CheckName::RepoGpgcheck, &subject).unwrap_or_default())
            };
            let voucher = voucher(repository, keyring, now).unwrap_or_else(nobody);
            all.push(Audited { voucher, what: format!("metadata {subject}") });
        }
    }
    Ok(all)
}

/// The key that signed a repository's metadata, if that was checked.
pub(super) fn voucher(
    repository: &LockedRepository,
    keyring: &Keyring,
    now: SystemTime,
) -> Option<Voucher> {
    let signer = repository.repomd_signed_by.as_ref()?;
    let (key, hash) = match &repository.repomd_signature {
        Some(signature) => (&signature.key, signature.hash.parse().ok()),
        None => (signer, None),
    };
    let start = "the metadata, signed with ";
    Some(match keyring.signatory(key, hash, now) {
        Some(by) => {
            let voucher = Voucher::key(By::SignedList, start, &by, now);
            match hash {
                Some(_) => voucher,
                None => Voucher {
                    words: voucher.words + " (the lock does not say with which hash)",
                    ..voucher
                },
            }
        }
        None => Voucher::new(By::SignedList, format!("{start}key {signer}")),
    })
}
