//! A manifest's text with the spec's patches. The lock records its digest; a build
//! makes the text again and compares.

use bundle_format::ImageReference;
use bundle_format::layout::YAML_TYPE;
use bundle_format::lock::{Edit, Expectation, LockedPass};

use crate::libyaml::document::{self, File};
use crate::manifest::discovery::{Discovery, discover_in};
use crate::manifest::expectation::expectations;
use crate::manifest::passes::{Pass, passes};
use crate::manifest::{check, patch};
use crate::spec::Manifest;
use crate::upstreams::Upstreams;

/// A manifest as a node applies it.
pub(crate) struct Applied<'a> {
    manifest: &'a Manifest,
    /// The text with the spec's patches.
    pub(crate) text: String,
    /// What the patches changed.
    pub(crate) edits: Vec<Edit>,
    /// The same text as kubectl reads it.
    pub(crate) file: File,
    /// The images that the text names.
    pub(crate) discovery: Discovery,
}

impl<'a> Applied<'a> {
    /// Patches and reads upstream's text of `manifest`.
    pub(crate) fn new(manifest: &'a Manifest, upstream: &str) -> anyhow::Result<Self> {
        let (text, edits) = patch::apply(&manifest.patches, &manifest.name, upstream)
            .map_err(|error| of_template(error.into(), upstream))?;
        let file = document::read(&manifest.name, &text)
            .map_err(|error| of_template(error.into(), upstream))?;
        let discovery = discover_in(&file);
        Ok(Self { manifest, text, edits, file, discovery })
    }

    /// The images that it needs, sorted: all that were found in it, without those
    /// that the spec ignores.
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

    /// The parts in which it is applied. Their bytes are kept in the cache.
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

/// A text with template expressions is seldom YAML. The error says so.
fn of_template(error: anyhow::Error, text: &str) -> anyhow::Error {
    match text.contains("{{") {
        true => error.context(format!(
            "it is not YAML, and contains `{{{{`: if it is a template of a Helm chart, {}",
            check::RENDER
        )),
        false => error,
    }
}
