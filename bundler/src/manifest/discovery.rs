//! Which images a manifest needs.
//!
//! What stands in a known place is a find: the `image` of a container; a field,
//! variable or flag whose name says image; an image in parts, such as
//! `{repository: …, tag: …}`; a text with host, path and tag as an argument, a
//! variable or a value of a custom resource. YAML inside a ConfigMap is read
//! like the rest. The schemas of CustomResourceDefinitions, labels, annotations
//! and descriptions are not places where images stand. Whatever else looks like
//! an image is a guess, for a person to judge; so is one that names no tag
//! outside a container, since a program mostly puts one behind it.

use std::collections::BTreeMap;

use bundle_format::ImageReference;

use super::document::{self, File, YamlError};
use super::walk;

/// All that a manifest says of images.
#[derive(Debug, Default)]
pub struct Discovery {
    /// The images it needs.
    pub found: Vec<Found>,
    /// What looks like an image outside a known place.
    pub guesses: Vec<Guess>,
    /// The lines, from 1, of `imagePullPolicy: Always`, which breaks a node
    /// that cannot reach a registry.
    pub pulls_always: Vec<usize>,
}

/// An image, and where the manifest names it.
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
    /// Why it is not taken for one.
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

/// Finds the images that the manifest `text`, called `file` in errors, needs.
pub fn discover(file: &str, text: &str) -> Result<Discovery, YamlError> {
    Ok(discover_in(&document::read(file, text)?))
}

/// The same for a manifest that was read already.
pub fn discover_in(file: &File) -> Discovery {
    walk::discover(file)
}
