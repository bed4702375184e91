//! Makes the parts of a lock, one after another.

use anyhow::bail;
use bundle_format::ImageReference;
use bundle_format::lock::{LOCK_VERSION, Lock, LockedFile, LockedInput};

use super::documents::{self, Documents};
use super::image_signers::{self, ImageSigners};
use super::kubeadm;
use super::packages::{self, LockedPackages, kubeadms};
use super::task::Task;
use super::wanted::{self, Wanted};
use super::{disabled_checks, hops, inputs, places, unsigned};
use crate::fetch::memory::Network;
use crate::image::kubeadm::Tags;
use crate::outage::Problems;
use crate::spec::{KubeadmImages, SpecFile, combination};

/// Finds out what the spec means now. Quick questions come first; if any of them
/// fails, no repository is read. The error has all problems of the part that failed.
pub fn resolve(task: &Task<'_>) -> anyhow::Result<Lock> {
    let Task { file, upstreams, .. } = *task;
    let spec = &file.spec;
    let warned = check(file)?;
    let version = &spec.kubernetes.version.value;
    let asks = spec.kubernetes.kubeadm_images == KubeadmImages::Known;
    let mut tags = if asks { Tags::known(version) } else { None };
    let mut wanted = Wanted::of_spec(spec);
    if let Some(tags) = &tags {
        wanted.add_kubeadm(spec, tags)?;
    }
    // Before the files are read: then a build notices a file that is edited in
    // between.
    let inputs = inputs::of(file)?;
    let mut places = places::places(file, &wanted, upstreams);
    places.announce(&upstreams.hosts);

    let mut problems = Problems::default();
    let mut packages = None;
    // If the table does not have a release, only its kubeadm knows its images.
    if asks && tags.is_none() {
        let locked = lock_packages(task, &mut problems);
        std::mem::take(&mut problems).end(&places, &upstreams.hosts)?;
        let asked = kubeadm::tags(task, &kubeadms(&locked), version, None)?;
        wanted.add_kubeadm(spec, &asked)?;
        places = places::places(file, &wanted, upstreams);
        places.announce(&upstreams.hosts);
        (tags, packages) = (Some(asked), Some(locked));
    }
    let sandbox = wanted::sandbox(spec, tags.as_ref());
    let documents = documents::lock(task, wanted, sandbox.as_ref(), &mut problems);
    // Without a network nothing is waited for, and the error names everything that
    // the cache lacks.
    if upstreams.client.network() == Network::On {
        std::mem::take(&mut problems).end(&places, &upstreams.hosts)?;
    }
    let packages = packages.unwrap_or_else(|| {
        let locked = lock_packages(task, &mut problems);
        if let Some(tags) = tags
            && let Err(error) = kubeadm::tags(task, &kubeadms(&locked), version, Some(tags))
        {
            problems.line(format!("{error:#}"));
        }
        locked
    });
    problems.end(&places, &upstreams.hosts)?;
    let mut lock = put_together(task, inputs, documents, packages, sandbox);
    lock.warnings.splice(..0, warned);
    hops::add(task, &mut lock)?;
    // Better now than when somebody reads the bundle.
    let mut problems = lock.problems();
    problems.extend([image_signers::unused(spec, &lock), unsigned::of_all(spec, &lock)].concat());
    if !problems.is_empty() {
        bail!("{}", problems.join("\n"));
    }
    Ok(lock)
}

/// What the spec and the files beside it show, before anything is asked for: the warnings. The
/// error has all that is refused.
fn check(file: &SpecFile) -> anyhow::Result<Vec<String>> {
    let combination = combination::check(&file.spec);
    let mut refused = combination.refused;
    refused.extend(ImageSigners::read(file).err().map(|error| error.to_string()));
    match refused.is_empty() {
        true => Ok(combination.warnings),
        false => bail!("{}", refused.join("\n")),
    }
}

/// The packages of each target.
fn lock_packages<'a>(task: &Task<'a>, problems: &mut Problems) -> Vec<LockedPackages<'a>> {
    let targets = task.file.spec.targets.iter();
    targets.filter_map(|target| packages::lock(task, target, problems)).collect()
}

/// Puts the lock together from its parts.
fn put_together(
    task: &Task<'_>,
    inputs: Vec<LockedInput>,
    documents: Documents,
    packages: Vec<LockedPackages<'_>>,
    sandbox_image: Option<ImageReference>,
) -> Lock {
    let spec = &task.file.spec;
    let (mut targets, mut rpms, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
    let mut files: Vec<LockedFile> = documents.files;
    for locked in packages {
        targets.push(locked.target);
        rpms.extend(locked.rpms);
        files.extend(locked.keys);
        warnings.extend(locked.warnings);
    }
    warnings.extend(documents.warnings);
    files.sort_by_cached_key(|file| file.path.to_string());
    rpms.sort_by_cached_key(|rpm| (rpm.target.clone(), rpm.package.to_string()));
    Lock {
        lock_version: LOCK_VERSION,
        name: spec.name.clone(),
        spec: task.file.digest,
        kubernetes: spec.kubernetes.version.value.clone(),
        containerd: spec.containerd.as_ref().map(|containerd| containerd.version.value.to_string()),
        sandbox_image,
        targets,
        rpms,
        images: documents.images,
        manifests: documents.manifests,
        files,
        inputs,
        cluster: spec.cluster.clone(),
        disabled_checks: disabled_checks::of(spec),
        hops: Vec::new(),
        warnings,
    }
}
