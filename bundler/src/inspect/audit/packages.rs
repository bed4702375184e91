//! The signatures of a bundle's packages, by the keys in the bundle.

use std::collections::HashMap;
use std::io::copy;
use std::time::SystemTime;

use anyhow::Context;
use bundle_format::archive::reader::Bundle;
use bundle_format::lock::{
    CheckName, Descriptor, Lock, LockedFile, LockedRepository, LockedRpm, LockedTarget,
};
use bundle_format::{BundlePath, Digest};

use super::voucher::{Audited, By, Voucher, off};
use super::{metadata, names};
use crate::fetch::checksum::Checksum;
use crate::rpm::key::{ExpiredKeys, Keyring};
use crate::rpm::locked_keys;
use crate::rpm::node_rpm::NodeRpm;
use crate::rpm::package_signature::{self, Signature};

/// Checks the signatures of a bundle's packages. Each is checked once, as long as the same keys
/// count for it: releases have many packages in common.
pub(super) struct Packages<'a> {
    bundle: &'a Bundle,
    now: SystemTime,
    checked: HashMap<Subject, Voucher>,
}

/// A package, its repository, who signed the metadata, and the files of its target's keys.
type Subject = (Digest, String, Option<Voucher>, Vec<Digest>);

impl<'a> Packages<'a> {
    /// The packages of a bundle, judged at the time `now`.
    pub(super) fn of(bundle: &'a Bundle, now: SystemTime) -> Self {
        Self { bundle, now, checked: HashMap::new() }
    }

    /// Each package of a release. Its signature is checked as `build` does, by keys of which
    /// some may have expired since.
    pub(super) fn audit(&mut self, lock: &Lock) -> anyhow::Result<Vec<Audited>> {
        let mut all = Vec::new();
        for target in &lock.targets {
            let read = |key: &LockedFile| Ok(self.bundle.read(&key.content)?);
            let keyrings = locked_keys::keyrings(lock, target, read)?;
            let is_key = |file: &&LockedFile| matches!(&file.path, BundlePath::Key { target: own, .. } if *own == target.id);
            let keys: Vec<Digest> =
                lock.files.iter().filter(is_key).map(|file| file.content.digest).collect();
            for (repository, (_, keyring)) in target.repositories.iter().zip(&keyrings) {
                let signed = metadata::voucher(repository, keyring, self.now);
                let is_own =
                    |rpm: &&LockedRpm| rpm.target == target.id && rpm.repository == repository.id;
                for rpm in lock.rpms.iter().filter(is_own) {
                    let id = format!("{}/{}", target.id, repository.id);
                    let subject = (rpm.digest, id, signed.clone(), keys.clone());
                    let voucher = match self.checked.get(&subject) {
                        Some(voucher) => voucher.clone(),
                        None => {
                            self.voucher(lock, (target, repository), (keyring, &signed), rpm)?
                        }
                    };
                    self.checked.insert(subject, voucher.clone());
                    all.push(Audited { voucher, what: names::rpm(rpm) });
                }
            }
        }
        Ok(all)
    }

    fn voucher(
        &self,
        lock: &Lock,
        (target, repository): (&LockedTarget, &LockedRepository),
        (keyring, signed): (&Keyring, &Option<Voucher>),
        rpm: &LockedRpm,
    ) -> anyhow::Result<Voucher> {
        if let Some(reason) = unasked(lock, target, repository) {
            return Ok(match signed {
                Some(signed) => Voucher {
                    words: format!("{}, and not read again by `build`; {reason}", signed.words),
                    ..signed.clone()
                },
                None => without_signature(lock, target, repository, reason),
            });
        }
        let mut file = tempfile::tempfile().context("making a temporary file")?;
        let content = Descriptor { media_type: "".into(), digest: rpm.digest, size: rpm.size };
        copy(&mut self.bundle.open_blob(&content)?, &mut file)
            .with_context(|| format!("reading {} of the bundle", rpm.path()))?;
        let signature = Signature::By {
            keyring,
            expired: ExpiredKeys::Allow,
            metadata_is_signed: repository.repomd_signed_by.is_some(),
            node_rpm: NodeRpm::of_family(&target.family),
        };
        let checksum = Checksum::from(rpm.digest);
        let checked = package_signature::verify(file, &rpm.package, &checksum, signature, self.now);
        Ok(match checked {
            Ok(package) => match package.signed_by() {
                Some(key) => Voucher::key(By::Signature, "", key, self.now),
                None => Voucher::nobody("its signature was not checked"),
            },
            Err(error) => Voucher::nobody(error.to_string()),
        })
    }
}

/// The packages for which no signature vouches: neither their own, nor that of the metadata.
pub(super) fn unsigned(lock: &Lock) -> impl Iterator<Item = Audited> {
    lock.targets.iter().flat_map(move |target| {
        let unlisted = target.repositories.iter().filter(|own| own.repomd_signed_by.is_none());
        unlisted.flat_map(move |repository| {
            let voucher = unasked(lock, target, repository)
                .map(|reason| without_signature(lock, target, repository, reason));
            let is_own =
                |rpm: &&LockedRpm| rpm.target == target.id && rpm.repository == repository.id;
            let own = lock.rpms.iter().filter(is_own);
            voucher
                .into_iter()
                .cycle()
                .zip(own)
                .map(|(voucher, rpm)| Audited { voucher, what: names::rpm(rpm) })
        })
    })
}

/// Why the own signatures of a repository's packages are not asked for. None if they are.
fn unasked(lock: &Lock, target: &LockedTarget, repository: &LockedRepository) -> Option<String> {
    off(lock, CheckName::Gpgcheck, &format!("{}/{}", target.id, repository.id))
}

/// Who vouches for a repository's packages if no signature does.
fn without_signature(
    lock: &Lock,
    target: &LockedTarget,
    repository: &LockedRepository,
    reason: String,
) -> Voucher {
    let subject = &format!("{}/{}", target.id, repository.id);
    match repository.base_url.scheme() {
        "https" if off(lock, CheckName::PlainHttp, subject).is_none() => {
            let host = repository.base_url.host_str().unwrap_or_default();
            Voucher::new(By::Connection, format!("TLS with {host}; {reason}"))
        }
        "file" => {
            Voucher::new(By::Maker, format!("a folder of the machine that made it; {reason}"))
        }
        _ => Voucher::nobody(reason),
    }
}
