//! Checks of images: their platforms, and their names on nodes.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::names::unique;
use crate::architecture::Architecture;
use crate::layout::{image_title, names};
use crate::lock::document::Lock;
use crate::lock::image::LockedImage;
use crate::oci::{is_index, is_manifest};
use crate::portable_path::{self, PortablePath};
use crate::problems::Problems;
use crate::reference::ImageReference;
use crate::text::brief;

pub(super) fn check(lock: &Lock, problems: &mut Problems) {
    unique("image", lock.images.iter().map(|image| &image.name), problems);
    let wanted: BTreeSet<Architecture> =
        lock.targets.iter().map(|target| target.architecture).collect();
    for image in &lock.images {
        if let Some(words) = what_is_wrong(image, &wanted) {
            problems.add(|| format!("image {}: {words}", image.name));
        }
    }
    one_image_a_name(lock, problems);
    let known: HashSet<_> = lock.images.iter().map(|image| &image.name).collect();
    if let Some(sandbox) = lock.sandbox_image.as_ref().filter(|name| !known.contains(name)) {
        problems.add(|| format!("the sandbox image {sandbox} is not one of its images"));
    }
    for manifest in &lock.manifests {
        for image in manifest.images.iter().filter(|image| !known.contains(image)) {
            let name = brief(&manifest.name);
            problems
                .add(|| format!("manifest {name} names {image}, which is not one of its images"));
        }
    }
    extraction(lock, problems);
}

/// On a node, a name stands for one image. If two images had one name, the node would
/// run the one that was imported last.
fn one_image_a_name(lock: &Lock, problems: &mut Problems) {
    let mut known: HashMap<ImageReference, &LockedImage> = HashMap::new();
    for image in &lock.images {
        for name in names(image) {
            let Some(other) = known.insert(name.clone(), image) else { continue };
            if other.root.digest != image.root.digest {
                problems.add(|| {
                    format!(
                        "{name} would be two images: {} and {}; a node knows a name once, so let \
                         all ask for the same",
                        asked_for(other),
                        asked_for(image)
                    )
                });
            }
        }
    }
}

/// `sha256:… (kubeadm needs it: pause)`.
fn asked_for(image: &LockedImage) -> String {
    let first: Vec<String> = image.why.iter().take(3).map(|why| brief(&why.to_string())).collect();
    let who = if first.is_empty() { "nobody says why".to_owned() } else { first.join("; ") };
    format!("{} ({who})", image.root.digest)
}

/// All images can be extracted into one folder.
fn extraction(lock: &Lock, problems: &mut Problems) {
    // If several entries are the same image under one name, it is written once.
    let titles: BTreeSet<String> = lock.images.iter().map(image_title).collect();
    for error in titles.iter().filter_map(|title| title.parse::<PortablePath>().err()) {
        problems.add(|| error.to_string());
    }
    portable_path::clashes(titles.iter().map(String::as_str), str::to_owned, problems);
}

/// What is wrong with an image on nodes of the architectures `wanted`.
fn what_is_wrong(image: &LockedImage, wanted: &BTreeSet<Architecture>) -> Option<String> {
    let media_type = &image.root.media_type;
    if !is_index(media_type) && !is_manifest(media_type) {
        return Some(format!("its root is of the type `{}`", brief(media_type)));
    }
    if image.name.digest().is_some_and(|digest| digest != image.root.digest) {
        return Some(format!("its root is {}", image.root.digest));
    }
    let platforms = &image.platforms;
    let architectures: BTreeSet<Architecture> =
        platforms.iter().map(|platform| platform.architecture).collect();
    if architectures != *wanted || platforms.len() != wanted.len() {
        return Some("its platforms are not those of the targets, each once".to_owned());
    }
    for platform in platforms {
        let alone = is_manifest(media_type);
        if !is_manifest(&platform.manifest.media_type) || alone && platform.manifest != image.root {
            return Some(format!("{} is not its manifest", platform.manifest.digest));
        }
    }
    None
}
