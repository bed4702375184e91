//! The files of before, from the copy.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::engine::change::Change;
use crate::files::attributes::Attributes;
use crate::host::Host;
use crate::node::paths::{DNF_CONFIG, KUBERNETES, PACKAGES, SERVICE_FOLDER, STATIC_PODS};
use crate::steps::upgrade::copy::COPY;

/// Where a file of the node is in the copy.
pub(super) fn copy_of(path: &str) -> PathBuf {
    Path::new(COPY).join(path.trim_start_matches('/'))
}

/// Which files are meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// The repository of packages.
    Repository,
    /// The bundle's manifests, which are applied too.
    Manifests,
    /// All others.
    Others,
}

/// The changes that put them back. The control plane's pods come last.
pub(super) fn changes<C>(host: &Host, which: Which) -> anyhow::Result<Vec<Change<C>>> {
    let mut paths = Vec::new();
    walk(host, "", &mut paths)?;
    paths.sort_by_key(|path| path.starts_with(STATIC_PODS));
    let mut changes = Vec::new();
    for path in paths {
        let of_repository = path.starts_with(PACKAGES) || path == DNF_CONFIG;
        let kind = match () {
            () if of_repository => Which::Repository,
            () if is_manifest(&path) => Which::Manifests,
            () => Which::Others,
        };
        if kind != which {
            continue;
        }
        let now = host.bytes(&path)?;
        if now.is_some() && stays(&path) {
            continue;
        }
        let copy = copy_of(&path);
        let text = host.bytes(&copy)?.with_context(|| format!("{} is gone", copy.display()))?;
        if now.as_ref() == Some(&text) {
            continue;
        }
        let attributes = Attributes::of(&host.path(&copy))?;
        let mode = attributes.map_or(0o600, |attributes| attributes.mode);
        changes.push(Change::Write { path: path.into(), text, mode, then: None, why: None });
    }
    Ok(changes)
}

/// Whether it is one of the bundle's manifests.
fn is_manifest(path: &str) -> bool {
    path.strip_prefix(SERVICE_FOLDER).is_some_and(|rest| rest.starts_with("/manifests/"))
}

/// Certificates and kubeconfigs may be newer by now, and an upgrade changes none. The
/// token in the join file may be, too.
fn stays(path: &str) -> bool {
    path.starts_with(KUBERNETES) && !path.starts_with(STATIC_PODS)
        || path == format!("{SERVICE_FOLDER}/join.yaml")
}

/// All files of the copy, by their paths on the node.
fn walk(host: &Host, folder: &str, paths: &mut Vec<String>) -> anyhow::Result<()> {
    for name in host.list(Path::new(COPY).join(folder.trim_start_matches('/')))? {
        let path = format!("{folder}/{name}");
        let kind = host.path(copy_of(&path)).symlink_metadata();
        if kind.as_ref().is_ok_and(std::fs::Metadata::is_dir) {
            walk(host, &path, paths)?;
        } else if kind.is_ok_and(|kind| kind.is_file()) {
            paths.push(path);
        }
    }
    Ok(())
}
