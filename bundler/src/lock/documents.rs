//! The part of a lock that is quick to get: manifests, images and installers. Their
//! documents are small; a repository's metadata is large.

use bundle_format::lock::{LockedFile, LockedImage, LockedManifest};
use bundle_format::parallel;
use bundle_format::{Architecture, ImageReference};

use super::task::Task;
use super::wanted::Wanted;
use super::{acceptance, images, installers, manifests};
use crate::fetch::REQUESTS;
use crate::outage::Problems;
use crate::spec::{Spec, combination};

/// The manifests, images and installers of a lock.
pub(super) struct Documents {
    pub(super) manifests: Vec<LockedManifest>,
    pub(super) images: Vec<LockedImage>,
    /// Installers, and the charts of manifests.
    pub(super) files: Vec<LockedFile>,
    pub(super) warnings: Vec<String>,
}

/// Gets all of them. `problems` collects what failed. `sandbox` is kubeadm's, or the
/// spec's.
pub(super) fn lock(
    task: &Task<'_>,
    mut wanted: Wanted,
    sandbox: Option<&ImageReference>,
    problems: &mut Problems,
) -> Documents {
    let spec = &task.file.spec;
    let (manifests, mut files, mut warnings) = lock_manifests(task, &mut wanted, problems);
    for image in wanted.names() {
        warnings.extend(combination::check_image(spec, image).warnings);
    }
    let architectures = architectures(spec);
    let images = images::lock(task, &wanted, &architectures, problems);
    match installers::lock(task.file, task.upstreams, &architectures) {
        Ok((found, missing)) => {
            files.extend(found);
            warnings.extend(missing);
        }
        Err(error) => problems.line(format!("{error:#}")),
    }
    check_sandbox(sandbox, &images, problems);
    Documents { manifests, images, files, warnings }
}

/// Each architecture of the targets, once.
pub(super) fn architectures(spec: &Spec) -> Vec<Architecture> {
    let mut all: Vec<_> = spec.targets.iter().map(|target| target.architecture).collect();
    all.sort();
    all.dedup();
    all
}

/// The manifests that could be read; their charts; and the warnings about them. Their images are
/// added to `wanted`.
fn lock_manifests(
    task: &Task<'_>,
    wanted: &mut Wanted,
    problems: &mut Problems,
) -> (Vec<LockedManifest>, Vec<LockedFile>, Vec<String>) {
    let spec = &task.file.spec;
    let read = parallel::each(&spec.manifests, REQUESTS, |manifest| {
        manifests::lock(task, &manifest.value)
    });
    let (mut locked, mut charts, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
    for (manifest, read) in spec.manifests.iter().zip(read) {
        let name = &manifest.value.name;
        match read {
            Ok(one) => {
                for found in one.found {
                    wanted.add(found.image.clone(), found.why(name));
                }
                charts.extend(one.chart);
                warnings.extend(one.warnings);
                locked.push((one.manifest, one.file));
            }
            Err(error) => problems.add(&format!("manifest {name}"), &error),
        }
    }
    acceptance::refused(spec, &locked).into_iter().for_each(|line| problems.line(line));
    let locked: Vec<_> = locked.into_iter().map(|(manifest, _)| manifest).collect();
    warnings.extend(acceptance::unmet(spec, &locked));
    (locked, charts, warnings)
}

/// Checks that the bundle holds the sandbox image, because containerd's configuration
/// must name it.
fn check_sandbox(
    sandbox: Option<&ImageReference>,
    images: &[LockedImage],
    problems: &mut Problems,
) {
    let Some(sandbox) = sandbox else {
        return problems.line(
            "no image is called `pause`: list the sandbox image of this release under `images:`"
                .to_owned(),
        );
    };
    // If an image could not be pulled, another problem says so already.
    if !images.iter().any(|image| image.name == *sandbox) && problems.is_empty() {
        problems.line(format!(
            "the bundle does not have the sandbox image {sandbox}: list it under `images:`"
        ));
    }
}
