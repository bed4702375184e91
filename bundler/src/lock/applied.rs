//! What the spec makes of a manifest's text. The lock notes it, and a build makes it
//! anew and compares.

use bundle_format::ImageReference;
use bundle_format::layout::YAML_TYPE;
use bundle_format::lock::{Edit, Expectation, LockedPass};

use crate::libyaml::document::{self, File};
use crate::manifest::check;
use crate::manifest::discovery::{Discovery, discover_in};
use crate::manifest::expectation::expectations;
use crate::manifest::passes::{Pass, passes};
use crate::manifest::patch;
use crate::spec::Manifest;
use crate::upstreams::Upstreams;

/// A manifest as it is to be applied.
pub(crate) struct Applied<'a> {
    manifest: &'a Manifest,
    /// Its text with the spec's patches.
    pub(crate) text: String,
    /// What they changed.
    pub(crate) edits: Vec<Edit>,
    /// The same text as kubectl reads it.
    pub(crate) file: File,
    /// What it says of images.
    pub(crate) discovery: Discovery,
}

impl<'a> Applied<'a> {
    /// Patches and reads the text of `manifest` that upstream has.
    pub(crate) fn new(manifest: &'a Manifest, upstream: &str) -> anyhow::Result<Self> {
        let (text, edits) = patch::apply(&manifest.patches, &manifest.name, upstream)
            .map_err(|error| of_template(error.into(), upstream))?;
        let file = document::read(&manifest.name, &text)
            .map_err(|error| of_template(error.into(), upstream))?;
        let discovery = discover_in(&file);
        Ok(Self { manifest, text, edits, file, discovery })
    }

    /// The images that it needs, sorted: those that were discovered in it but what the
    /// spec ignores.
    pub(crate) fn images(&self) -> Vec<ImageReference> {
        let ignored = &self.manifest.ignore_images;
        let found = self.discovery.found.iter().map(|found| &found.image);
        let mut images: Vec<_> = found.filter(|image| !ignored.contains(image)).cloned().collect();
        images.sort();
        images.dedup();
        images
    }

    /// What it expects of the cluster.
    pub(crate) fn expects(&self) -> Vec<Expectation> {
        expectations(&self.file)
    }

    /// The parts in which it is applied, kept in the cache.
    pub(crate) fn keep_passes(&self, upstreams: &Upstreams) -> anyhow::Result<Vec<LockedPass>> {
        let keep = |pass: Pass| {
            Ok(LockedPass {
                content: upstreams.keep(YAML_TYPE, pass.text.as_bytes())?,
                defines_kinds: pass.defines_kinds,
                by_server: pass.by_server,
            })
        };
        passes(&self.file, &self.text).into_iter().map(keep).collect()
    }
}

/// A template that nobody filled in is seldom YAML.
fn of_template(error: anyhow::Error, text: &str) -> anyhow::Error {
    match text.contains("{{") {
        true => error.context(format!(
            "it is not YAML, and has `{{{{`: if it is a template of a Helm chart, {}",
            check::RENDER
        )),
        false => error,
    }
}
