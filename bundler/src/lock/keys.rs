//! The keys of a target's repositories, in the form in which its nodes get them.

use anyhow::Context;
use bundle_format::BundlePath;
use bundle_format::layout::FILE_TYPE;
use bundle_format::lock::{FileKind, FileSource, LockedFile};

use crate::outage::Problems;
use crate::page;
use crate::rpm::key::{ExpiredKeys, Keyring, MAX_KEY};
use crate::rpm::node_rpm::NodeRpm;
use crate::rpm::package_signature::Signature;
use crate::spec::{Check, Repository, SpecFile, Target};
use crate::upstreams::Upstreams;

/// The keys that may sign one repository.
pub(crate) struct RepositoryKeys {
    pub(super) keyring: Keyring,
    /// The files of these keys that the bundle carries. They are the vendors' own
    /// files, unless another copy of a key says more or rpm cannot import the
    /// file. A node's rpm keeps the first copy of a key that it meets, and
    /// accepts armored keys only.
    pub(super) files: Vec<LockedFile>,
}

/// The signature that a package of `repository` must have, for nodes of `family`. The
/// spec decides which checks are made, not a lock.
pub(crate) fn demanded<'a>(
    repository: &Repository,
    keyring: &'a Keyring,
    family: &str,
) -> Signature<'a> {
    match repository.gpgcheck {
        Check::Off(_) => Signature::Unchecked,
        Check::On => Signature::By {
            keyring,
            expired: ExpiredKeys::from(&repository.expired_keys),
            metadata_is_signed: matches!(repository.repo_gpgcheck, Check::On),
            node_rpm: NodeRpm::of_family(family),
        },
    }
}

/// Reads the keys of each repository of a target, in their order, and puts the files
/// that the bundle will carry into the cache. `problems` says which keys cannot be
/// read, and why.
pub(crate) fn read(
    file: &SpecFile,
    target: &Target,
    upstreams: &Upstreams,
    problems: &mut Problems,
) -> Option<Vec<RepositoryKeys>> {
    let mut all = Keyring::default();
    let mut read = Vec::new();
    let mut is_whole = true;
    for repository in &target.repositories {
        let mut keyring = Keyring::default();
        let mut copies = Vec::new();
        for source in &repository.keys {
            let mut take = || -> anyhow::Result<Vec<u8>> {
                let bytes = upstreams
                    .read(file, source, MAX_KEY)
                    .with_context(|| format!("reading the key {source}"))?;
                page::refuse(source, &bytes)?;
                keyring.add(source, &bytes)?;
                Ok(bytes)
            };
            match take() {
                Ok(bytes) => copies.push((source, bytes)),
                Err(error) => {
                    problems.add(&target.title_of(repository), &error);
                    is_whole = false;
                }
            }
        }
        all.unite(&keyring);
        read.push((repository, keyring, copies));
    }
    if !is_whole {
        return None;
    }
    let mut keys = Vec::new();
    for (repository, mut keyring, copies) in read {
        // A node has one rpm, so what one repository knows of a key is valid
        // for all of them.
        keyring.learn(&all);
        match carried(upstreams, target, repository, &keyring, copies) {
            Ok(files) => keys.push(RepositoryKeys { keyring, files }),
            Err(error) => {
                problems.add(&target.title_of(repository), &error);
                is_whole = false;
            }
        }
    }
    is_whole.then_some(keys)
}

/// The files of one repository's keys, in the form in which the bundle carries them.
fn carried(
    upstreams: &Upstreams,
    target: &Target,
    repository: &Repository,
    keyring: &Keyring,
    copies: Vec<(&String, Vec<u8>)>,
) -> anyhow::Result<Vec<LockedFile>> {
    let mut files = Vec::new();
    for (index, (source, bytes)) in copies.into_iter().enumerate() {
        let bytes = keyring.united(&bytes)?.unwrap_or(bytes);
        let (target, repository) = (target.id(), repository.id.value.clone());
        let path = BundlePath::Key { target, repository, number: index + 1 };
        files.push(LockedFile {
            kind: FileKind::Key,
            path,
            source: FileSource::Named(source.clone()),
            content: upstreams.keep(FILE_TYPE, &bytes)?,
        });
    }
    Ok(files)
}
