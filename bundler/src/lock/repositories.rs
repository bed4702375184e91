//! A target's repositories: their URLs, their keys, and their verified metadata.

use anyhow::bail;
use bundle_format::lock::{LockedFile, LockedRepository, RepomdSignature};

use super::base_urls::base_urls;
use super::keys;
use super::task::Task;
use crate::fetch;
use crate::fetch::memory::Network;
use crate::outage::Problems;
use crate::rpm::key::{ExpiredKeys, Keyring};
use crate::rpm::location::folder;
use crate::rpm::node_rpm::NodeRpm;
use crate::rpm::repository::{self, Repository as LoadedRepository};
use crate::rpm::signatory::Signatory;
use crate::rpm::verified_repository::{Metadata, RepositorySource};
use crate::spec::{Check, Repository, Target};

/// What a target's repositories offer.
pub(super) struct Repositories<'a> {
    pub(super) loaded: Vec<LoadedRepository>,
    pub(super) locked: Vec<LockedRepository>,
    pub(super) keys: Vec<LockedFile>,
    /// The keys of each repository, with its part of the spec.
    pub(super) keyrings: Vec<(&'a Repository, Keyring)>,
    /// The repositories without any key that the nodes' rpm can use.
    pub(super) unusable_on_nodes: Vec<&'a str>,
}

/// Reads all repositories of a target. `problems` says which cannot be read, and why.
pub(super) fn load<'a>(
    task: &Task<'_>,
    target: &'a Target,
    problems: &mut Problems,
) -> Option<Repositories<'a>> {
    let Task { file, upstreams, now, .. } = *task;
    let Some(keys) = keys::read(file, target, upstreams, problems) else {
        // Without a network, the same run also names everything else that the
        // cache lacks.
        if upstreams.client.network() == Network::Off {
            for repository in &target.repositories {
                if let Err(error) = was_read(task, target, repository) {
                    problems.add(&target.title_of(repository), &error);
                }
            }
        }
        return None;
    };
    let node_rpm = NodeRpm::of_family(&target.family.value);
    let mut all = Repositories {
        loaded: Vec::new(),
        locked: Vec::new(),
        keys: Vec::new(),
        keyrings: Vec::new(),
        unusable_on_nodes: Vec::new(),
    };
    for (repository, own) in target.repositories.iter().zip(keys) {
        if repository.gpgcheck == Check::On && !node_rpm.can_check(&own.keyring, now) {
            all.unusable_on_nodes.push(&repository.id.value);
        }
        all.keyrings.push((repository, own.keyring.clone()));
        match load_one(task, target, repository, own.keyring) {
            Ok((loaded, locked)) => {
                all.loaded.push(loaded);
                all.locked.push(locked);
                all.keys.extend(own.files);
            }
            Err(error) => problems.add(&target.title_of(repository), &error),
        }
    }
    (all.loaded.len() == target.repositories.len()).then_some(all)
}

fn load_one(
    task: &Task<'_>,
    target: &Target,
    repository: &Repository,
    keyring: Keyring,
) -> anyhow::Result<(LoadedRepository, LockedRepository)> {
    let Task { file, upstreams, now, .. } = *task;
    let fingerprints = keyring.fingerprints();
    let expired = ExpiredKeys::from(&repository.expired_keys);
    let metadata = match repository.repo_gpgcheck {
        Check::On => Metadata::Signed { keyring, expired, now },
        Check::Off(_) => Metadata::Unchecked,
    };
    let mut problems = Vec::new();
    for base_url in base_urls(file, target, repository, upstreams)? {
        let source = RepositorySource {
            id: &repository.id.value,
            base_url: &base_url,
            priority: repository.priority,
        };
        match source.load(&*upstreams.client, &metadata) {
            Ok(mut loaded) => {
                loaded.repository.module_hotfixes = repository.module_hotfixes;
                if let Some(key) = &loaded.signed_by {
                    upstreams.warn_of_end(key, expired, now);
                }
                let locked = LockedRepository {
                    id: repository.id.value.clone(),
                    base_url: loaded.repository.base_url.clone(),
                    revision: loaded.repository.repomd.revision.clone(),
                    repomd: loaded.repository.repomd_digest,
                    repomd_signature: loaded.signed_by.as_ref().and_then(signature),
                    repomd_signed_by: loaded.signed_by.map(|key| key.fingerprint),
                    keys: match repository.gpgcheck {
                        Check::On => fingerprints,
                        Check::Off(_) => Vec::new(),
                    },
                };
                return Ok((loaded.repository, locked));
            }
            Err(error) => problems.push(anyhow::Error::new(error)),
        }
    }
    match problems.len() {
        // A single error keeps its causes, so that an unreachable host is
        // reported as one.
        1 => Err(problems.remove(0)),
        _ => {
            let words: Vec<String> = problems.iter().map(|error| format!("{error:#}")).collect();
            bail!("{}", words.join("; then "))
        }
    }
}

/// What the lock says of the signature over a repository's metadata.
fn signature(by: &Signatory) -> Option<RepomdSignature> {
    Some(RepomdSignature { key: by.signing_key.clone(), hash: by.hash?.to_string() })
}

/// Whether the cache has a repository's `repomd.xml`.
fn was_read(task: &Task<'_>, target: &Target, repository: &Repository) -> anyhow::Result<()> {
    let Task { file, upstreams, .. } = *task;
    let mut problems = Vec::new();
    for base_url in base_urls(file, target, repository, upstreams)? {
        let url = folder(&base_url).join("repodata/repomd.xml")?;
        match fetch::bytes(&*upstreams.client, &url, repository::MAX_REPOMD) {
            Ok(_) => return Ok(()),
            Err(error) => problems.push(error.to_string()),
        }
    }
    bail!("{}", problems.join("; then "))
}
