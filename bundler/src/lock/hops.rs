//! The releases on the way from the one that clusters have to the spec's own. Each is
//! locked as the last one is, from a spec of its own, with kubeadm's images only.

use std::collections::BTreeSet;

use anyhow::{Context, bail};
use bundle_format::lock::{LOCK_VERSION_WITH_HOPS, Lock, LockedHop, LockedInput};
use bundle_format::version::KubernetesVersion;

use super::kept::Kept;
use super::kubeadm;
use super::packages::{self, is_excluded, kubeadms};
use super::repositories::{self, Repositories};
use super::requests::OF_KUBERNETES;
use super::task::Task;
use super::wanted::{self, Wanted};
use super::{documents, images, inputs, places};
use crate::image::kubeadm::Tags;
use crate::outage::Problems;
use crate::spec::{SpecFile, Target};

/// A locked hop, and what the lock as a whole gets from it.
struct Locked {
    hop: LockedHop,
    inputs: Vec<LockedInput>,
    warnings: Vec<String>,
}

/// Adds the hops of a task's spec to its lock.
pub(super) fn add(task: &Task<'_>, lock: &mut Lock) -> anyhow::Result<()> {
    for template in &task.file.hops {
        let minor = template.spec.kubernetes.version.value.minor();
        let words = || format!("the hop 1.{minor}, on the way to {}", lock.kubernetes);
        let Locked { hop, inputs, mut warnings } = one(task, template).with_context(words)?;
        lock.inputs.extend(inputs);
        warnings.retain(|words| !lock.warnings.contains(words));
        lock.warnings.extend(warnings.iter().map(|words| format!("hop 1.{minor}: {words}")));
        lock.hops.push(hop);
    }
    if !lock.hops.is_empty() {
        lock.lock_version = LOCK_VERSION_WITH_HOPS;
    }
    lock.inputs.sort();
    lock.inputs.dedup();
    Ok(())
}

fn one(task: &Task<'_>, template: &SpecFile) -> anyhow::Result<Locked> {
    let minor = template.spec.kubernetes.version.value.minor();
    let before = task.kept.and_then(|kept| kept.of_hop(minor));
    let kept = before.as_ref().zip(task.kept).map(|(lock, kept)| kept.in_hop(lock, &template.spec));
    let upstreams = task.upstreams;
    let inputs = inputs::of(template)?;
    let hosts = places::places(template, &Wanted::of_spec(&template.spec), upstreams);
    hosts.announce(&upstreams.hosts);

    let mut problems = Problems::default();
    // The first target's repositories say which patch release it is.
    let mut found: Option<SpecFile> = None;
    let mut locked = Vec::new();
    for target in &template.spec.targets {
        let own = Task { file: template, kept: kept.as_ref(), ..*task };
        let Some(repositories) = repositories::load(&own, target, &mut problems) else { continue };
        let file = match &mut found {
            Some(file) => file,
            none => {
                let wanted = kept.as_ref().and_then(Kept::release);
                none.insert(template.in_release(&newest(template, target, &repositories, wanted)?))
            }
        };
        let own = Task { file, ..own };
        locked.extend(packages::solve_or_tell(&own, target, repositories, &mut problems));
    }
    std::mem::take(&mut problems).end(&hosts, &upstreams.hosts)?;
    let file = found.context("the spec has no targets")?;
    let task = Task { file: &file, kept: kept.as_ref(), ..*task };
    let version = &file.spec.kubernetes.version.value;
    let tags = kubeadm::tags(&task, &kubeadms(&locked), version, Tags::known(version))?;
    let mut wanted = Wanted::of_spec(&file.spec);
    wanted.add_kubeadm(&file.spec, &tags)?;
    let hosts = places::places(&file, &wanted, upstreams);
    hosts.announce(&upstreams.hosts);
    let architectures = documents::architectures(&file.spec);
    let images = images::lock(&task, &wanted, &architectures, &mut problems);
    problems.end(&hosts, &upstreams.hosts)?;
    let mut hop = LockedHop {
        kubernetes: file.spec.kubernetes.version.value.clone(),
        sandbox_image: wanted::sandbox(&file.spec, Some(&tags)),
        targets: Vec::new(),
        rpms: Vec::new(),
        images,
        files: Vec::new(),
    };
    let mut warnings = Vec::new();
    for own in locked {
        hop.targets.push(own.target);
        hop.rpms.extend(own.rpms);
        hop.files.extend(own.keys);
        warnings.extend(own.warnings);
    }
    hop.files.sort_by_cached_key(|file| file.path.to_string());
    hop.rpms.sort_by_cached_key(|rpm| (rpm.target.clone(), rpm.package.to_string()));
    Ok(Locked { hop, inputs, warnings })
}

/// The newest patch release of the hop's minor release that a target's repositories have.
/// `wanted` is taken if they have it.
fn newest(
    template: &SpecFile,
    target: &Target,
    repositories: &Repositories<'_>,
    wanted: Option<&KubernetesVersion>,
) -> anyhow::Result<KubernetesVersion> {
    let own = &template.spec.kubernetes;
    let minor = own.version.value.minor();
    let pinned = own.repository.as_deref();
    let of_package = |name: &str| -> BTreeSet<(u32, String)> {
        let all = repositories.loaded.iter();
        all.filter(|one| pinned.is_none_or(|id| id == one.id))
            .flat_map(|one| one.packages.nevras().iter().map(move |nevra| (one, nevra)))
            .filter(|(_, nevra)| nevra.name == name)
            .filter(|(one, nevra)| !is_excluded(target, one, nevra))
            .filter_map(|(_, nevra)| nevra.evr.version.parse::<KubernetesVersion>().ok())
            .filter(|version| version.minor() == minor && !version.as_str().contains('-'))
            .map(|version| (version.patch(), version.to_string()))
            .collect()
    };
    let mut sets = OF_KUBERNETES.map(of_package).into_iter();
    let first = sets.next().unwrap_or_default();
    let all = sets.fold(first, |all, own| all.intersection(&own).cloned().collect());
    let kept = wanted.filter(|wanted| all.iter().any(|(_, text)| text == wanted.as_str()));
    let newest = kept.map(KubernetesVersion::as_str).or(all.last().map(|(_, text)| text.as_str()));
    let Some(newest) = newest else {
        let nowhere = match pinned {
            Some(id) => format!("repository `{id}` of target {} has no", target.id()),
            None => format!("no repository of target {} has a", target.id()),
        };
        bail!(
            "{nowhere} kubelet, kubeadm and kubectl of 1.{minor}: write `$minor` where the \
             repository's URLs name the minor release, or name a repository that has it"
        );
    };
    Ok(newest.parse()?)
}
