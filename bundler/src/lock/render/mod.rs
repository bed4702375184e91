//! Manifests that a program of others makes here, of Helm charts and Kustomizations. The
//! program runs only when a lock is made, so neither a build nor a node needs it.

use rendered::Rendered;

use super::task::Task;
use crate::libyaml::document::File;
use crate::spec::Manifest;

mod archive;
mod chart;
mod folder;
mod helm;
mod hooks;
mod kustomization;
mod made;
mod origin;
mod registry;
mod rendered;
mod repository;
mod tool;

pub(crate) use folder::Folder;

/// The manifest, if it is one that is made here.
pub(super) fn render(task: &Task<'_>, manifest: &Manifest) -> anyhow::Result<Option<Rendered>> {
    match (&manifest.chart, &manifest.kustomize) {
        (Some(chart), _) => chart::render(task, manifest, chart).map(Some),
        (None, Some(own)) => kustomization::render(task, manifest, own).map(Some),
        (None, None) => Ok(None),
    }
}

/// A warning about the hooks in a manifest that was made here.
pub(super) fn remark(name: &str, file: &File) -> Option<String> {
    hooks::remark(name, file)
}
