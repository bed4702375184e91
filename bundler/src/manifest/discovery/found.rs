//! The images in a manifest.

use std::collections::BTreeMap;

use bundle_format::ImageReference;

/// All that a manifest says about images.
#[derive(Debug, Default)]
pub struct Discovery {
    /// The images it needs.
    pub found: Vec<Found>,
    /// Texts that look like images, but are not in a place for images.
    pub guesses: Vec<Guess>,
    /// The lines, from 1, of `imagePullPolicy: Always`. Such pods do not start on
    /// a node without a registry.
    pub pulls_always: Vec<usize>,
}

/// An image, and the place that names it.
#[derive(Clone, Debug)]
pub struct Found {
    /// The image.
    pub image: ImageReference,
    /// The line, from 1.
    pub line: usize,
    /// `DaemonSet kube-system/calico-node`.
    pub document: String,
    /// The path in the document: `spec.template.spec.containers[0].image`.
    pub path: String,
}

/// A text that may be an image.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Guess {
    /// The text.
    pub text: String,
    /// The line, from 1.
    pub line: usize,
    /// Why it is not taken as an image.
    pub why: &'static str,
}

impl Discovery {
    /// The images, sorted, each once, with the places that name it.
    pub fn images(&self) -> BTreeMap<ImageReference, Vec<&Found>> {
        let mut images: BTreeMap<ImageReference, Vec<&Found>> = BTreeMap::new();
        for found in &self.found {
            images.entry(found.image.clone()).or_default().push(found);
        }
        images
    }
}
