//! The signatures of a bundle's packages, by the keys in the bundle.

use std::collections::HashMap;
use std::io::copy;
use std::time::SystemTime;

use anyhow::Context;
use bundle_format::archive::reader::Bundle;
use bundle_format::day::{day, sorting_day};
use bundle_format::lock::{
    CheckName, Descriptor, Lock, LockedFile, LockedRepository, LockedRpm, LockedTarget,
};
use bundle_format::{BundlePath, Digest};

use super::names;
use super::voucher::{Audited, By, Voucher, off};
use crate::fetch::checksum::Checksum;
use crate::rpm::key::{ExpiredKeys, Keyring};
use crate::rpm::locked_keys;
use crate::rpm::node_rpm::NodeRpm;
use crate::rpm::package_signature::{self, Signature};
use crate::rpm::signatory::Signatory;

/// Checks the signatures of a bundle's packages. Each is checked once, as long as the same keys
/// count for it: releases have many packages in common.
pub(super) struct Packages<'a> {
    bundle: &'a Bundle,
    now: SystemTime,
    checked: HashMap<Subject, Voucher>,
}

/// A package, its repository, whether the metadata is signed, and the files of its target's
/// keys.
type Subject = (Digest, String, bool, Vec<Digest>);

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
                let is_own =
                    |rpm: &&LockedRpm| rpm.target == target.id && rpm.repository == repository.id;
                for rpm in lock.rpms.iter().filter(is_own) {
                    let id = format!("{}/{}", target.id, repository.id);
                    let is_listed = repository.repomd_signed_by.is_some();
                    let subject = (rpm.digest, id, is_listed, keys.clone());
                    let voucher = match self.checked.get(&subject) {
                        Some(voucher) => voucher.clone(),
                        None => self.voucher(lock, (target, repository), keyring, rpm)?,
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
        keyring: &Keyring,
        rpm: &LockedRpm,
    ) -> anyhow::Result<Voucher> {
        if let Some(voucher) = without_signature(lock, target, repository) {
            return Ok(voucher);
        }
        let mut file = tempfile::tempfile().context("making a temporary file")?;
        let content = Descriptor { media_type: String::new(), digest: rpm.digest, size: rpm.size };
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
                Some(key) => Voucher {
                    by: By::Signature,
                    words: words(key, self.now),
                    expires: key.expires.map(sorting_day),
                },
                None => Voucher::nobody("its signature was not checked"),
            },
            Err(error) => Voucher::nobody(error.to_string()),
        })
    }
}

/// The packages whose own signatures are not asked for.
pub(super) fn unsigned(lock: &Lock) -> impl Iterator<Item = Audited> {
    lock.targets.iter().flat_map(move |target| {
        target.repositories.iter().flat_map(move |repository| {
            let voucher = without_signature(lock, target, repository);
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

/// Who vouches for a repository's packages if their own signatures are not asked for. None
/// if they are.
fn without_signature(
    lock: &Lock,
    target: &LockedTarget,
    repository: &LockedRepository,
) -> Option<Voucher> {
    let subject = &format!("{}/{}", target.id, repository.id);
    let reason = off(lock, CheckName::Gpgcheck, subject)?;
    Some(match &repository.repomd_signed_by {
        Some(key) => Voucher::new(
            By::SignedList,
            format!("the metadata, signed with {key}, and not read again by `build`; {reason}"),
        ),
        None if repository.base_url.scheme() == "https"
            && off(lock, CheckName::PlainHttp, subject).is_none() =>
        {
            let host = repository.base_url.host_str().unwrap_or_default();
            Voucher::new(By::Connection, format!("TLS with {host}; {reason}"))
        }
        None if repository.base_url.scheme() == "file" => {
            Voucher::new(By::Maker, format!("a folder of the machine that made it; {reason}"))
        }
        None => Voucher::nobody(reason),
    })
}

/// A key, its algorithms, and when it expires.
fn words(key: &Signatory, now: SystemTime) -> String {
    let (words, by) = (&key.words, key.algorithms());
    match key.expires {
        None => format!("key {words}, {by}, which does not expire"),
        Some(end) if end <= now => format!("key {words}, {by}, which expired on {}", day(end)),
        Some(end) => format!("key {words}, {by}, until {}", day(end)),
    }
}
