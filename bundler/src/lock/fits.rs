//! Whether a lock belongs to a spec. A lock may be edited or merged by hand, so what
//! follows from the spec alone is never taken from the lock.

use std::collections::BTreeSet;

use bundle_format::lock::{Lock, LockedImage, LockedTarget};
use bundle_format::{BundlePath, ImageReference, KubernetesVersion, Nevra};

use super::requests::OF_KUBERNETES;
use super::wanted::{self, Wanted};
use super::{disabled_checks, image_signers, sources, unsigned};
use crate::image::kubeadm::Tags;
use crate::spec::{Baseline, KubeadmImages, Spec, SpecFile, Target};

/// What the lock lacks, or has otherwise than the spec says. Empty if the lock fits.
pub fn misfits(file: &SpecFile, lock: &Lock) -> Vec<String> {
    let mut found = of_release(file, lock);
    let wanted = minors(file.hops.iter().map(|hop| &hop.spec.kubernetes.version.value));
    let locked = minors(lock.hops.iter().map(|hop| &hop.kubernetes));
    if wanted != locked {
        found.push(format!("the list of hops is `{locked}`, but the spec says `{wanted}`"));
        return found;
    }
    for (hop, locked) in file.hops.iter().zip(&lock.hops) {
        let own = of_release(&hop.in_release(&locked.kubernetes), &lock.of_hop(locked));
        found.extend(own.into_iter().map(|words| format!("hop {}: {words}", locked.kubernetes)));
    }
    found
}

fn minors<'a>(all: impl Iterator<Item = &'a KubernetesVersion>) -> String {
    let all: Vec<String> = all.map(|version| format!("1.{}", version.minor())).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

/// The same of one release.
fn of_release(file: &SpecFile, lock: &Lock) -> Vec<String> {
    let spec = &file.spec;
    let mut found = Vec::new();
    let mut same = |what: &str, of_spec: &str, of_lock: &str| {
        if of_spec != of_lock {
            found.push(format!("{what} is `{of_lock}`, but the spec says `{of_spec}`"));
        }
    };
    let text = |value: Option<String>| value.unwrap_or_default();
    let containerd = spec.containerd.as_ref().map(|own| own.version.value.to_string());
    let sandbox = |name: Option<&ImageReference>| text(name.map(ToString::to_string));
    let ids = |ids: Vec<String>| ids.join(", ");
    same("name", &spec.name, &lock.name);
    same("kubernetes", &spec.kubernetes.version.value.to_string(), lock.kubernetes.as_str());
    same("containerd", &text(containerd), &text(lock.containerd.clone()));
    let tags = tags_of(spec, lock);
    same(
        "sandboxImage",
        &sandbox(wanted::sandbox(spec, tags.as_ref()).as_ref()),
        &sandbox(lock.sandbox_image.as_ref()),
    );
    same(
        "the list of targets",
        &ids(spec.targets.iter().map(Target::id).collect()),
        &ids(lock.targets.iter().map(|target| target.id.clone()).collect()),
    );
    same(
        "the list of manifests",
        &ids(spec.manifests.iter().map(|manifest| manifest.value.name.clone()).collect()),
        &ids(lock.manifests.iter().map(|manifest| manifest.name.clone()).collect()),
    );
    if spec.cluster != lock.cluster {
        found.push("cluster is not what the spec says".to_owned());
    }
    if disabled_checks::of(spec) != lock.disabled_checks {
        found.push("disabledChecks differs from the checks that the spec switches off".to_owned());
    }
    for (own, locked) in spec.targets.iter().zip(&lock.targets) {
        target(spec, own, locked, lock, &mut found);
    }
    for (own, locked) in spec.manifests.iter().zip(&lock.manifests) {
        let pinned = own.value.sha256.as_deref();
        let chart = BundlePath::Chart { manifest: locked.name.clone() };
        let chart = lock.files.iter().find(|file| file.path == chart).map(|file| &file.content);
        let digest = chart.unwrap_or(&locked.upstream).digest;
        if pinned.is_some_and(|pinned| pinned != digest.hex()) {
            found.push(format!("manifest {} does not have the spec's sha256", locked.name));
        }
    }
    names_of_images(spec, tags.as_ref(), lock, &mut found);
    found.extend(sources::misfits(file, lock));
    found.extend(image_signers::misfits(file, lock));
    found.extend(unsigned::problems(spec, lock));
    found
}

/// The tags of kubeadm's images. For a release that the table does not have, only the
/// lock knows what its kubeadm said.
fn tags_of(spec: &Spec, lock: &Lock) -> Option<Tags> {
    match spec.kubernetes.kubeadm_images {
        KubeadmImages::Listed => None,
        KubeadmImages::Known => {
            Tags::known(&spec.kubernetes.version.value).or_else(|| Tags::locked(lock))
        }
    }
}

/// Checks the names of the repositories, and the packages that every node needs.
fn target(spec: &Spec, own: &Target, locked: &LockedTarget, lock: &Lock, found: &mut Vec<String>) {
    let id = &locked.id;
    let repositories: Vec<&String> =
        own.repositories.iter().map(|repository| &repository.id.value).collect();
    if !locked.repositories.iter().map(|repository| &repository.id).eq(repositories) {
        found.push(format!("target {id} has other repositories than the spec"));
    }
    if locked.systems != own.systems() {
        found.push(format!(
            "the lock has other systems for target {id} than its `match` in the spec"
        ));
    }
    let version = spec.kubernetes.version.value.to_string();
    let mut wanted: Vec<(&str, String)> = OF_KUBERNETES.map(|name| (name, version.clone())).into();
    if let Some(containerd) = &spec.containerd {
        wanted.push((&containerd.package, containerd.version.value.to_string()));
    }
    for (name, version) in wanted {
        let is_it = |package: &Nevra| package.name == name && package.evr.version == version;
        let carried = lock.rpms.iter().any(|rpm| rpm.target == *id && is_it(&rpm.package));
        // A node's package list may have it already.
        let installed =
            matches!(own.baseline, Baseline::Packages(_)) && locked.requested.iter().any(is_it);
        if !carried && !installed {
            found.push(format!("target {id} has no package {name} {version}"));
        }
    }
}

/// Checks that the images are exactly those that kubeadm, the spec and the manifests
/// name.
fn names_of_images(spec: &Spec, tags: Option<&Tags>, lock: &Lock, found: &mut Vec<String>) {
    let mut wanted = Wanted::of_spec(spec);
    match tags.map(|tags| wanted.add_kubeadm(spec, tags)) {
        Some(Ok(())) => {}
        Some(Err(error)) => found.push(error.to_string()),
        None if spec.kubernetes.kubeadm_images == KubeadmImages::Listed => {}
        None => found.push("kubeadm's images are not there".to_owned()),
    }
    let mut names: BTreeSet<&ImageReference> = wanted.names().collect();
    names.extend(lock.manifests.iter().flat_map(|manifest| &manifest.images));
    let locked: BTreeSet<&ImageReference> = lock.images.iter().map(|image| &image.name).collect();
    found.extend(names.difference(&locked).map(|name| format!("image {name} is not there")));
    found.extend(locked.difference(&names).map(|name| format!("nothing asks for image {name}")));
    // Whose key must have signed an image depends on where it is pulled from.
    for LockedImage { name, source, .. } in &lock.images {
        match wanted.source(spec, name) {
            Ok(own) if own == *source => {}
            Ok(own) => found.push(format!("image {name} is pulled as {source}, and not as {own}")),
            Err(error) => found.push(format!("{error:#}")),
        }
    }
}
