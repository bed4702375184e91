//! A target's packages.

use std::collections::{BTreeSet, HashMap};
use std::time::SystemTime;

use anyhow::{Context, bail};
use bundle_format::lock::{LockedFile, LockedRepository, LockedRpm, LockedTarget, Why};
use bundle_format::pattern::fits;
use url::Url;

use super::{Kept, Upstreams, files, on_nodes, read_keys};
use crate::fetch::memory::Network;
use crate::fetch::{self, download};
use crate::page;
use crate::rpm::baseline;
use crate::rpm::closure::Request;
use crate::rpm::key::{self, Keyring};
use crate::rpm::node_rpm::{EL7_ADVICE, NodeRpm};
use crate::rpm::package::Package;
use crate::rpm::repository::{self, Repository as LoadedRepository};
use crate::rpm::resolve::{self, Baseline, Chosen, Goal};
use crate::rpm::source::{Metadata, RepositorySource};
use crate::spec::plain_http;
use crate::spec::profile::{self, Profile};
use crate::spec::{self, Check, PackageRequest, Repository, Spec, SpecFile, Target};

/// A mirror list is a short text.
const MAX_MIRROR_LIST: u64 = 1 << 20;
/// A package list of a node is a short text.
const MAX_PACKAGE_LIST: u64 = 16 << 20;

/// A target's part of the lock.
pub(super) struct LockedPackages {
    pub(super) target: LockedTarget,
    pub(super) rpms: Vec<LockedRpm>,
    pub(super) keys: Vec<LockedFile>,
    pub(super) warnings: Vec<String>,
}

pub(super) fn lock(
    kept: Option<&Kept<'_>>,
    file: &SpecFile,
    target: &Target,
    upstreams: &Upstreams,
    now: SystemTime,
) -> anyhow::Result<LockedPackages> {
    let id = target.id();
    let mut loaded = Vec::new();
    let mut locked_repositories = Vec::new();
    let mut keys = Vec::new();
    let mut problems = Vec::new();
    let mut refused_by_node = Vec::new();
    let mut note = |repository: &Repository, error: &anyhow::Error| {
        problems.push(format!("reading repository `{}`: {error:#}", repository.id.value));
    };
    match read_keys(file, target, upstreams) {
        Ok(own_keys) => {
            for (repository, own) in target.repositories.iter().zip(own_keys) {
                let node_rpm = NodeRpm::of_family(&target.family.value);
                if repository.gpgcheck == Check::On && !node_rpm.can_check(&own.keyring, now) {
                    refused_by_node.push(repository.id.value.as_str());
                }
                match load(file, target, repository, own.keyring, upstreams, now) {
                    Ok((source, locked)) => {
                        loaded.push(source);
                        locked_repositories.push(locked);
                        keys.extend(own.files);
                    }
                    Err(error) => note(repository, &error),
                }
            }
        }
        // What the cache lacks besides is to be known as well.
        Err(error) if upstreams.client.network() == Network::Off => {
            for repository in &target.repositories {
                if let Err(error) = was_read(file, target, repository, upstreams) {
                    note(repository, &error);
                }
            }
            problems.insert(0, format!("{error:#}"));
        }
        Err(error) => return Err(error),
    }
    if !problems.is_empty() {
        bail!("{}", problems.join(&format!("\ntarget {id}: ")));
    }
    let profile = profile::of_family(&target.family.value);
    let wanted = requests(&file.spec, target, profile.as_ref())?;
    let (requests, reasons): (Vec<Request>, Vec<Why>) = wanted.into_iter().unzip();
    let (baseline, baseline_words) = baseline(file, target, upstreams)?;
    let excluded = |repository: &LoadedRepository, package: &Package| {
        let of_repository = target
            .repositories
            .iter()
            .find(|own| own.id.value == repository.id)
            .map(|own| own.exclude.as_slice());
        target
            .exclude
            .iter()
            .chain(of_repository.unwrap_or_default())
            .any(|pattern| fits(pattern, &package.nevra.name))
    };
    let goal = Goal {
        architecture: target.architecture,
        platform: profile.as_ref().map(|profile| profile.family.as_str()),
        baseline,
        requests: &requests,
        excluded: &excluded,
    };
    let resolution = match kept {
        Some(kept) => kept.resolve(&id, &*upstreams.client, &mut loaded, &goal)?,
        None => resolve::resolve(&*upstreams.client, &mut loaded, &goal)?,
    };
    let mut why: HashMap<String, Vec<Why>> = HashMap::new();
    for (nevra, reason) in resolution.requested.iter().zip(reasons) {
        why.entry(nevra.to_string()).or_default().push(reason);
    }
    let mut rpms = Vec::new();
    for chosen in &resolution.packages {
        match locked_rpm(&id, chosen, upstreams, &mut why) {
            Ok(rpm) => rpms.push(rpm),
            Err(error) if upstreams.client.network() == Network::Off => {
                problems.push(format!("{error:#}"));
            }
            Err(error) => return Err(error),
        }
    }
    if !problems.is_empty() {
        bail!("{}", problems.join(&format!("\ntarget {id}: ")));
    }
    let is_refused = |rpm: &&LockedRpm| refused_by_node.contains(&rpm.repository.as_str());
    let refused: Vec<String> = rpms
        .iter()
        .filter(is_refused)
        .map(|rpm| format!("{} of repository `{}`", rpm.package, rpm.repository))
        .collect();
    if !refused.is_empty() {
        bail!(
            "el7's rpm (4.11) can check no signature by the keys of these packages, since it knows no subkeys, and no keys but those of RSA and DSA: {}; {EL7_ADVICE}",
            refused.join(", ")
        );
    }
    let mut warnings = Vec::new();
    if resolution.core_missing {
        warnings.push(format!(
            "target {id}: no repository has a group `core`, so the bundle holds the whole closure"
        ));
    }
    warnings.extend(elsewhere(&id, &locked_repositories, &rpms));
    warnings.extend(on_nodes::warnings(&id, &baseline_words, &why));
    let mut requested = resolution.requested;
    requested.sort();
    requested.dedup();
    let target = LockedTarget {
        id,
        family: target.family.value.clone(),
        architecture: target.architecture,
        systems: target.systems(),
        baseline: baseline_words,
        requested,
        repositories: locked_repositories,
        module_hotfixes: resolution.modular,
    };
    Ok(LockedPackages { target, rpms, keys, warnings })
}

/// A warning for each repository that has packages on another host than its own.
fn elsewhere(target: &str, repositories: &[LockedRepository], rpms: &[LockedRpm]) -> Vec<String> {
    let mut warnings = Vec::new();
    for repository in repositories {
        let own = rpms.iter().filter(|rpm| rpm.repository == repository.id);
        let hosts: BTreeSet<&str> = own
            .filter(|rpm| rpm.source.host() != repository.base_url.host())
            .filter_map(|rpm| rpm.source.host_str())
            .collect();
        warnings.extend(hosts.into_iter().map(|host| {
            format!(
                "target {target}: repository `{}` has packages on another host, {host}",
                repository.id
            )
        }));
    }
    warnings
}

fn load(
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

/// All packages that nodes are to have, each with the reason.
fn requests(
    spec: &Spec,
    target: &Target,
    profile: Option<&Profile>,
) -> anyhow::Result<Vec<(Request, Why)>> {
    let mut requests = Vec::new();
    let mut add = |text: &str, repository: Option<&str>, why: Why| -> anyhow::Result<()> {
        requests.push((Request::parse(text)?.pinned_to(repository), why));
        Ok(())
    };
    let version = &spec.kubernetes.version;
    let repository = spec.kubernetes.repository.as_deref();
    for package in ["kubelet", "kubeadm", "kubectl"] {
        let why =
            Why::Spec { path: "kubernetes.version".to_owned(), line: version.referenced.line() };
        add(&format!("{package} = {}", version.value), repository, why)?;
    }
    for package in ["cri-tools", "kubernetes-cni"] {
        let why =
            Why::Spec { path: "kubernetes.version".to_owned(), line: version.referenced.line() };
        add(package, repository, why)?;
    }
    if let Some(containerd) = &spec.containerd {
        let why = Why::Spec {
            path: "containerd.version".to_owned(),
            line: containerd.version.referenced.line(),
        };
        let text = format!("{} = {}", containerd.package, containerd.version.value);
        add(&text, containerd.repository.as_deref(), why)?;
    }
    for package in profile.map(|profile| profile.packages.as_slice()).unwrap_or_default() {
        add(package, None, Why::Base { profile: target.family.value.clone() })?;
    }
    for (index, package) in target.packages.iter().enumerate() {
        let why = Why::Spec {
            path: format!("targets[{}].packages[{index}]", target.id()),
            line: package.referenced.line(),
        };
        match &package.value {
            PackageRequest::Anywhere(text) => add(text, None, why)?,
            PackageRequest::Pinned(pinned) => add(&pinned.package, Some(&pinned.repository), why)?,
        }
    }
    Ok(requests)
}

fn baseline(
    file: &SpecFile,
    target: &Target,
    upstreams: &Upstreams,
) -> anyhow::Result<(Baseline, String)> {
    Ok(match &target.baseline {
        spec::Baseline::Core => (Baseline::Core, "comps: core".to_owned()),
        spec::Baseline::None => (Baseline::None, "none".to_owned()),
        spec::Baseline::Packages(name) => {
            let bytes = files::read_location(file, upstreams, name, MAX_PACKAGE_LIST)?;
            page::refuse(name, &bytes)?;
            let text = String::from_utf8(bytes).with_context(|| format!("reading {name}"))?;
            (
                Baseline::Packages(baseline::read_package_list(name, &text)?),
                format!("packages: {name}"),
            )
        }
    })
}

fn locked_rpm(
    target: &str,
    chosen: &Chosen,
    upstreams: &Upstreams,
    why: &mut HashMap<String, Vec<Why>>,
) -> anyhow::Result<LockedRpm> {
    let package = &chosen.package;
    let digest = match package.checksum.sha256() {
        Some(digest) => digest,
        // An old repository promises a SHA-1 only: the file tells the rest.
        None => download::download_by_checksum(
            &upstreams.cache,
            &*upstreams.client,
            &package.source,
            &package.checksum,
            package.size,
        )
        .with_context(|| format!("fetching {}", package.nevra))?,
    };
    let mut reasons = why.remove(&package.nevra.to_string()).unwrap_or_default();
    reasons.extend(chosen.required_by.iter().map(|(package, requirement)| Why::Requires {
        package: package.clone(),
        requirement: requirement.clone(),
    }));
    reasons.sort();
    Ok(LockedRpm {
        target: target.to_owned(),
        package: package.nevra.clone(),
        repository: chosen.repository.clone(),
        source: package.source.clone(),
        size: package.size,
        digest,
        why: reasons,
    })
}
