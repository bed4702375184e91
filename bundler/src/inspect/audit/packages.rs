//! The signatures of a bundle's packages, by the keys in the bundle.

use std::io::{Seek, copy};
use std::time::SystemTime;

use anyhow::Context;
use bundle_format::archive::reader::Bundle;
use bundle_format::day::day;
use bundle_format::lock::{
    CheckName, Descriptor, FileKind, Lock, LockedRepository, LockedRpm, LockedTarget,
};

use super::voucher::{Audited, Voucher, off};
use crate::fetch::checksum::Checksum;
use crate::rpm::key::{ExpiredKeys, Keyring};
use crate::rpm::node_rpm::NodeRpm;
use crate::rpm::package_signature::{self, Signature};
use crate::rpm::signatory::Signatory;

/// Each package of a lock of the bundle's. Its signature is checked as `build` does, by keys of which some may have
/// expired since.
pub(super) fn audit(bundle: &Bundle, lock: &Lock, now: SystemTime) -> anyhow::Result<Vec<Audited>> {
    let mut all = Vec::new();
    for target in &lock.targets {
        for repository in &target.repositories {
            let keyring = keyring(bundle, lock, target, repository)?;
            let is_own =
                |rpm: &&LockedRpm| rpm.target == target.id && rpm.repository == repository.id;
            for rpm in lock.rpms.iter().filter(is_own) {
                let voucher = voucher(bundle, (lock, target, repository), &keyring, rpm, now)?;
                all.push(Audited { voucher, what: format!("rpm {} {}", rpm.target, rpm.package) });
            }
        }
    }
    Ok(all)
}

/// The keys of a repository, with what the other repositories of the target know of them.
fn keyring(
    bundle: &Bundle,
    lock: &Lock,
    target: &LockedTarget,
    repository: &LockedRepository,
) -> anyhow::Result<Keyring> {
    let (mut own, mut all) = (Keyring::default(), Keyring::default());
    let keys = lock.files.iter().filter(|file| file.kind == FileKind::Key);
    for key in keys {
        let read = |keyring: &mut Keyring| -> anyhow::Result<()> {
            let bytes = bundle.read(&key.content)?;
            keyring.add(&key.path.to_string(), &bytes)?;
            Ok(())
        };
        if key.path.is_key_of(&target.id, &repository.id) {
            read(&mut own)?;
        }
        read(&mut all)?;
    }
    own.learn(&all);
    Ok(own)
}

fn voucher(
    bundle: &Bundle,
    (lock, target, repository): (&Lock, &LockedTarget, &LockedRepository),
    keyring: &Keyring,
    rpm: &LockedRpm,
    now: SystemTime,
) -> anyhow::Result<Voucher> {
    let subject = format!("{}/{}", target.id, repository.id);
    if let Some(reason) = off(lock, CheckName::Gpgcheck, &subject) {
        return Ok(unsigned(lock, &subject, repository, reason));
    }
    let mut file = tempfile::tempfile().context("making a temporary file")?;
    let content = Descriptor { media_type: String::new(), digest: rpm.digest, size: rpm.size };
    copy(&mut bundle.open_blob(&content)?, &mut file)
        .with_context(|| format!("reading {} of the bundle", rpm.path()))?;
    file.rewind()?;
    let signature = Signature::By {
        keyring,
        expired: ExpiredKeys::Allow,
        metadata_is_signed: repository.repomd_signed_by.is_some(),
        node_rpm: NodeRpm::of_family(&target.family),
    };
    let checksum = Checksum::from(rpm.digest);
    let checked = package_signature::verify(file, &rpm.package, &checksum, signature, now);
    Ok(match checked {
        Ok(package) => match package.signed_by() {
            Some(key) => Voucher::Signature(words(key, now)),
            None => Voucher::Nobody("its signature was not checked".to_owned()),
        },
        Err(error) => Voucher::Nobody(error.to_string()),
    })
}

/// Who vouches for a package whose own signature is not asked for.
fn unsigned(lock: &Lock, subject: &str, repository: &LockedRepository, reason: String) -> Voucher {
    match &repository.repomd_signed_by {
        Some(key) => Voucher::SignedList(format!("the metadata, signed with {key}; {reason}")),
        None if repository.base_url.scheme() == "https"
            && off(lock, CheckName::PlainHttp, subject).is_none() =>
        {
            let host = repository.base_url.host_str().unwrap_or_default();
            Voucher::Connection(format!("TLS with {host}; {reason}"))
        }
        None if repository.base_url.scheme() == "file" => {
            Voucher::Maker(format!("a folder of his own; {reason}"))
        }
        None => Voucher::Nobody(reason),
    }
}

/// A key, and when it expires.
fn words(key: &Signatory, now: SystemTime) -> String {
    match key.expires {
        None => format!("key {} without end", key.words),
        Some(end) if end <= now => format!("key {}, which expired on {}", key.words, day(end)),
        Some(end) => format!("key {} until {}", key.words, day(end)),
    }
}
