//! The images that a bundle is to hold, the places to pull them from, and the
//! reasons.

use std::collections::BTreeMap;

use anyhow::Context;
use bundle_format::ImageReference;
use bundle_format::lock::Why;

use crate::image::kubeadm::{KubeadmError, Tags};
use crate::spec::{Spec, prefix};

/// The wanted images, with the places to pull them from and the reasons.
pub(super) struct Wanted {
    images: BTreeMap<ImageReference, (Option<ImageReference>, Vec<Why>)>,
}

impl Wanted {
    /// The images that the spec lists.
    pub(super) fn of_spec(spec: &Spec) -> Self {
        let mut wanted = Self { images: BTreeMap::new() };
        for (index, image) in spec.images.iter().enumerate() {
            let why = Why::Spec { path: format!("images[{index}]"), line: image.referenced.line() };
            wanted.add(image.value.clone(), why);
        }
        wanted
    }

    /// Adds kubeadm's images, under the names that nodes use.
    pub(super) fn add_kubeadm(&mut self, spec: &Spec, tags: &Tags) -> Result<(), KubeadmError> {
        let version = &spec.kubernetes.version.value;
        let names = tags.images(version, spec.kubernetes.image_repository.as_deref())?;
        let sources = match &spec.kubernetes.pull_from {
            Some(repository) => tags.images(version, Some(repository))?,
            None => names.clone(),
        };
        for (name, source) in names.into_iter().zip(sources) {
            let why = Why::Kubeadm { component: name.component.to_owned() };
            let entry = self.images.entry(name.image).or_insert((None, Vec::new()));
            entry.0 = spec.kubernetes.pull_from.is_some().then_some(source.image);
            entry.1.push(why);
        }
        Ok(())
    }

    /// The names of all of them.
    pub(super) fn names(&self) -> impl Iterator<Item = &ImageReference> {
        self.images.keys()
    }

    /// The name that an image is pulled under.
    pub(super) fn source(
        &self,
        spec: &Spec,
        name: &ImageReference,
    ) -> anyhow::Result<ImageReference> {
        match self.images.get(name) {
            Some((Some(of_kubeadm), _)) => Ok(of_kubeadm.clone()),
            _ => source_of(spec, name),
        }
    }

    /// All of them, with the reasons for each.
    pub(super) fn reasons(&self) -> impl Iterator<Item = (&ImageReference, &[Why])> {
        self.images.iter().map(|(name, (_, why))| (name, why.as_slice()))
    }

    /// Adds an image, or another reason for it.
    pub(super) fn add(&mut self, image: ImageReference, why: Why) {
        self.images.entry(image).or_insert((None, Vec::new())).1.push(why);
    }
}

/// The sandbox image for containerd's configuration: the pause image of kubeadm, whose
/// `tags` these are. Without them, the spec lists it.
pub(super) fn sandbox(spec: &Spec, tags: Option<&Tags>) -> Option<ImageReference> {
    let Some(tags) = tags else {
        let is_pause =
            |image: &&ImageReference| image.repository().rsplit('/').next() == Some("pause");
        return spec.images.iter().map(|image| &image.value).find(is_pause).cloned();
    };
    let repository = spec.kubernetes.image_repository.as_deref();
    let images = tags.images(&spec.kubernetes.version.value, repository).ok()?;
    images.into_iter().find(|image| image.component == "pause").map(|image| image.image)
}

/// `name` with another prefix, if one of the spec's `imageSources` fits.
fn source_of(spec: &Spec, name: &ImageReference) -> anyhow::Result<ImageReference> {
    for source in &spec.image_sources {
        if let Some(moved) = prefix::moved(name, &source.name, &source.pull_from) {
            return moved
                .parse()
                .with_context(|| format!("pulling {name} from {}", source.pull_from));
        }
    }
    Ok(name.clone())
}
