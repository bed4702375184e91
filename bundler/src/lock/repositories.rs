//! A target's repositories: where they are, their keys, their verified metadata.

use std::time::SystemTime;

use anyhow::bail;
use bundle_format::lock::{LockedFile, LockedRepository};
use url::Url;

use super::{Upstreams, files, keys};
use crate::fetch;
use crate::fetch::memory::Network;
use crate::outage::Problems;
use crate::page;
use crate::rpm::key::{self, Keyring};
use crate::rpm::node_rpm::NodeRpm;
use crate::rpm::repository::{self, Repository as LoadedRepository};
use crate::rpm::source::{Metadata, RepositorySource};
use crate::spec::{self, Check, Repository, SpecFile, Target, plain_http};

/// A mirror list is a short text.
const MAX_MIRROR_LIST: u64 = 1 << 20;

/// What a target's repositories offer.
pub(super) struct Repositories<'a> {
    pub(super) loaded: Vec<LoadedRepository>,
    pub(super) locked: Vec<LockedRepository>,
    pub(super) keys: Vec<LockedFile>,
    /// Those with no key that the nodes' rpm can use.
    pub(super) unusable_on_nodes: Vec<&'a str>,
}

/// A repository's name in messages.
pub(super) fn title(target: &Target, repository: &Repository) -> String {
    format!("target {}, repository `{}`", target.id(), repository.id.value)
}

/// Reads all repositories of a target. Where one cannot be read, `problems` says why.
pub(super) fn load<'a>(
    file: &SpecFile,
    target: &'a Target,
    upstreams: &Upstreams,
    now: SystemTime,
    problems: &mut Problems,
) -> Option<Repositories<'a>> {
    let Some(keys) = keys::read(file, target, upstreams, problems) else {
        // Without a network, all else that the cache lacks is told in the same run.
        if upstreams.client.network() == Network::Off {
            for repository in &target.repositories {
                if let Err(error) = was_read(file, target, repository, upstreams) {
                    problems.add(&title(target, repository), &error);
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
        unusable_on_nodes: Vec::new(),
    };
    for (repository, own) in target.repositories.iter().zip(keys) {
        if repository.gpgcheck == Check::On && !node_rpm.can_check(&own.keyring, now) {
            all.unusable_on_nodes.push(&repository.id.value);
        }
        match load_one(file, target, repository, own.keyring, upstreams, now) {
            Ok((loaded, locked)) => {
                all.loaded.push(loaded);
                all.locked.push(locked);
                all.keys.extend(own.files);
            }
            Err(error) => problems.add(&title(target, repository), &error),
        }
    }
    (all.loaded.len() == target.repositories.len()).then_some(all)
}

fn load_one(
    file: &SpecFile,
    target: &Target,
    repository: &Repository,
    keyring: Keyring,
    upstreams: &Upstreams,
    now: SystemTime,
) -> anyhow::Result<(LoadedRepository, LockedRepository)> {
    let fingerprints = keyring.fingerprints();
    let expired = expired_keys(repository);
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
                let locked = LockedRepository {
                    id: repository.id.value.clone(),
                    base_url: loaded.repository.base_url.clone(),
                    revision: loaded.repository.repomd.revision.clone(),
                    repomd: loaded.repository.repomd_digest,
                    repomd_signed_by: loaded.signed_by,
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
        // One of one keeps its causes: a host that is not there is told as such.
        1 => Err(problems.remove(0)),
        _ => {
            let words: Vec<String> = problems.iter().map(|error| format!("{error:#}")).collect();
            bail!("{}", words.join("; then "))
        }
    }
}

/// Whether the cache has a repository's table of contents.
fn was_read(
    file: &SpecFile,
    target: &Target,
    repository: &Repository,
    upstreams: &Upstreams,
) -> anyhow::Result<()> {
    let mut problems = Vec::new();
    for base_url in base_urls(file, target, repository, upstreams)? {
        let url = repository::folder(&base_url).join("repodata/repomd.xml")?;
        match fetch::bytes(&*upstreams.client, &url, repository::MAX_REPOMD) {
            Ok(_) => return Ok(()),
            Err(error) => problems.push(error.to_string()),
        }
    }
    bail!("{}", problems.join("; then "))
}

/// What the spec says of expired keys, for the check itself.
pub(crate) fn expired_keys(repository: &Repository) -> key::ExpiredKeys {
    match repository.expired_keys {
        spec::ExpiredKeys::Refuse => key::ExpiredKeys::Refuse,
        spec::ExpiredKeys::Allow(_) => key::ExpiredKeys::Allow,
    }
}

/// Where a repository may be, in order: its base URL, or its mirrors.
pub(crate) fn base_urls(
    file: &SpecFile,
    target: &Target,
    repository: &Repository,
    upstreams: &Upstreams,
) -> anyhow::Result<Vec<Url>> {
    let expand = |text: &str| text.replace("$basearch", target.architecture.rpm());
    if let Some(base_url) = &repository.base_url {
        return Ok(vec![files::location(file, &expand(base_url))?]);
    }
    let list = expand(repository.mirror_list.as_deref().unwrap_or_default());
    let url = files::location(file, &list)?;
    let text = fetch::bytes(&*upstreams.client, &url, MAX_MIRROR_LIST)?;
    page::refuse(url.as_str(), &text)?;
    let may_be_exposed = plain_http::is_checked(repository) || repository.plain_http.is_some();
    let urls: Vec<Url> = String::from_utf8_lossy(&text)
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter_map(|line| Url::parse(&expand(line)).ok())
        .filter(|url| matches!(url.scheme(), "https" | "http"))
        .filter(|url| may_be_exposed || !plain_http::is_exposed(url))
        // A password has no place in a lock.
        .filter(|url| url.username().is_empty() && url.password().is_none())
        .filter(|url| url.query().is_none() && url.fragment().is_none())
        .take(5)
        .collect();
    if urls.is_empty() {
        let usable = if may_be_exposed { "" } else { " that is read over https" };
        bail!("the mirror list {url} names no mirror{usable}");
    }
    Ok(urls)
}
