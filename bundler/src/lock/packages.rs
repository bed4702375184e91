//! The packages of a target.

use std::collections::{BTreeSet, HashMap};

use anyhow::{Context, bail};
use bundle_format::lock::{LockedFile, LockedRepository, LockedRpm, LockedTarget, Why};
use bundle_format::pattern::fits;
use bundle_format::{Evr, Nevra};

use super::kubeadm::Kubeadm;
use super::repositories::{self, Repositories};
use super::requests::requests;
use super::task::Task;
use super::{kernel, on_nodes, weak_metadata};
use crate::fetch::download::{Source, download};
use crate::fetch::memory::Network;
use crate::outage::Problems;
use crate::page;
use crate::rpm::closure::Request;
use crate::rpm::node_rpm::ADVICE;
use crate::rpm::repository::Repository as LoadedRepository;
use crate::rpm::resolve::{self, Baseline, Chosen, Goal, baseline};
use crate::spec::{self, SpecFile, Target, profile};
use crate::upstreams::Upstreams;

/// The longest package list of a node, in bytes.
const MAX_PACKAGE_LIST: u64 = 16 << 20;

/// A target's part of the lock.
pub(super) struct LockedPackages<'a> {
    pub(super) target: LockedTarget,
    pub(super) rpms: Vec<LockedRpm>,
    pub(super) keys: Vec<LockedFile>,
    pub(super) warnings: Vec<String>,
    /// Its kubeadm, if the bundle carries it.
    pub(super) kubeadm: Option<Kubeadm<'a>>,
}

/// Finds a target's packages. `problems` says why if that fails.
pub(super) fn lock<'a>(
    task: &Task<'_>,
    target: &'a Target,
    problems: &mut Problems,
) -> Option<LockedPackages<'a>> {
    let repositories = repositories::load(task, target, problems)?;
    solve_or_tell(task, target, repositories, problems)
}

/// The same, from repositories that were read already.
pub(super) fn solve_or_tell<'a>(
    task: &Task<'_>,
    target: &'a Target,
    repositories: Repositories<'a>,
    problems: &mut Problems,
) -> Option<LockedPackages<'a>> {
    match solve(task, target, repositories) {
        Ok(locked) => Some(locked),
        Err(error) => {
            problems.add(&format!("target {}", target.id()), &error);
            None
        }
    }
}

/// The closure of what nodes are to have, and the source of each of its packages.
fn solve<'a>(
    task: &Task<'_>,
    target: &'a Target,
    repositories: Repositories<'a>,
) -> anyhow::Result<LockedPackages<'a>> {
    let Task { file, kept, upstreams, .. } = *task;
    let id = target.id();
    let Repositories { mut loaded, locked: repositories, keys, keyrings, unusable_on_nodes } =
        repositories;
    let profile = profile::of_family(&target.family.value);
    let Nodes { baseline, words: baseline_words, kernel, mut warnings } =
        baseline(file, target, upstreams)?;
    let wanted = requests(file, target, profile.as_ref(), kernel.as_ref())?;
    let (requests, reasons): (Vec<Request>, Vec<Why>) = wanted.into_iter().unzip();
    let goal = Goal {
        architecture: target.architecture,
        platform: profile.as_ref().map(|profile| profile.family.as_str()),
        baseline,
        requests: &requests,
        excluded: &|repository, nevra| is_excluded(target, repository, nevra),
    };
    let resolution = match kept {
        Some(kept) => kept.resolve(&id, &*upstreams.client, &mut loaded, &goal)?,
        None => resolve::resolve(&*upstreams.client, &mut loaded, &goal)?,
    };
    let mut why: HashMap<String, Vec<Why>> = HashMap::new();
    for (nevra, reason) in resolution.requested.iter().zip(reasons) {
        why.entry(nevra.to_string()).or_default().push(reason);
    }
    let rpms = locked_rpms(&id, &resolution.packages, upstreams, &mut why)?;
    refuse_unusable(&rpms, &unusable_on_nodes)?;
    let kubeadm = Kubeadm::of(target, &rpms, keyrings);
    if resolution.core_missing {
        warnings.push(format!(
            "target {id}: no repository has a group `core`, so the bundle holds the whole closure"
        ));
    }
    warnings.extend(elsewhere(&id, &repositories, &rpms));
    warnings.extend(weak_metadata::warnings(&id, &repositories));
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
        repositories,
        module_hotfixes: resolution.modular,
    };
    Ok(LockedPackages { target, rpms, keys, warnings, kubeadm })
}

/// Whether the spec excludes a package, in the target or in its repository.
pub(super) fn is_excluded(target: &Target, repository: &LoadedRepository, nevra: &Nevra) -> bool {
    let own = target.repositories.iter().find(|own| own.id.value == repository.id);
    let of_repository = own.map(|own| own.exclude.as_slice()).unwrap_or_default();
    let mut patterns = target.exclude.iter().chain(of_repository);
    patterns.any(|pattern| fits(pattern, &nevra.name))
}

/// The lock's entry for each package of a closure. Without a network, the error names
/// everything that the cache lacks.
fn locked_rpms(
    target: &str,
    packages: &[Chosen],
    upstreams: &Upstreams,
    why: &mut HashMap<String, Vec<Why>>,
) -> anyhow::Result<Vec<LockedRpm>> {
    let mut rpms = Vec::new();
    let mut missing = Vec::new();
    for chosen in packages {
        match locked_rpm(target, chosen, upstreams, why) {
            Ok(rpm) => rpms.push(rpm),
            Err(error) if upstreams.client.network() == Network::Off => {
                missing.push(format!("{error:#}"));
            }
            Err(error) => return Err(error),
        }
    }
    if !missing.is_empty() {
        bail!("{}", missing.join(&format!("\ntarget {target}: ")));
    }
    Ok(rpms)
}

/// Refuses packages whose signatures the nodes' rpm cannot check.
fn refuse_unusable(rpms: &[LockedRpm], unusable_on_nodes: &[&str]) -> anyhow::Result<()> {
    let refused: Vec<String> = rpms
        .iter()
        .filter(|rpm| unusable_on_nodes.contains(&rpm.repository.as_str()))
        .map(|rpm| format!("{} of repository `{}`", rpm.package, rpm.repository))
        .collect();
    if !refused.is_empty() {
        bail!(
            "el7's rpm (4.11) cannot check these packages, because it does not know subkeys, and \
             knows only RSA and DSA keys: {}; {ADVICE}",
            refused.join(", ")
        );
    }
    Ok(())
}

/// A warning for each repository whose packages are on another host than the
/// repository.
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

/// What nodes have before the bundle comes.
struct Nodes {
    baseline: Baseline,
    /// The lock's words for it.
    words: String,
    /// The version of the kernel that they run, if it is known.
    kernel: Option<Evr>,
    warnings: Vec<String>,
}

fn baseline(file: &SpecFile, target: &Target, upstreams: &Upstreams) -> anyhow::Result<Nodes> {
    let nodes = |baseline, words: &str| Nodes {
        baseline,
        words: words.to_owned(),
        kernel: None,
        warnings: Vec::new(),
    };
    Ok(match &target.baseline {
        spec::Baseline::Core => nodes(Baseline::Core, "comps: core"),
        spec::Baseline::None => nodes(Baseline::None, "none"),
        spec::Baseline::Packages(name) => {
            let bytes = upstreams.read(file, name, MAX_PACKAGE_LIST)?;
            page::refuse(name, &bytes)?;
            let text = String::from_utf8(bytes).with_context(|| format!("reading {name}"))?;
            let packages = baseline::read_package_list(name, &text)?;
            let kernel = kernel::of_list(&text, &packages);
            let (packages, warnings) = match &kernel {
                Some(kernel) => (kernel::only(packages, kernel), Vec::new()),
                None => {
                    let warning = kernel::running(&text)
                        .map_or_else(|| target.unknown_kernel(), |own| target.foreign_kernel(own));
                    (packages, warning.into_iter().collect())
                }
            };
            let words = format!("packages: {name}");
            Nodes { baseline: Baseline::Packages(packages), words, kernel, warnings }
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
        // The metadata of an old repository has only a SHA-1. The file itself
        // gives the SHA-256.
        None => {
            let source = Source::new(&*upstreams.client, package.source.clone());
            download(&upstreams.cache, &[source], &package.checksum, package.size, &|_| {})
                .with_context(|| format!("fetching {}", package.nevra))?
        }
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

/// The kubeadms of all targets whose packages have one.
pub(super) fn kubeadms<'l, 'a>(packages: &'l [LockedPackages<'a>]) -> Vec<&'l Kubeadm<'a>> {
    packages.iter().filter_map(|locked| locked.kubeadm.as_ref()).collect()
}
