//! The local files that a lock is made from and that the bundle does not hold as they
//! are. Only their digests show later that a file was edited.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use bundle_format::lock::LockedInput;
use bundle_format::{Digest, input};

use super::render::Folder;
use crate::spec::{Baseline, ChartFrom, SpecFile};

/// A local file that the spec names.
pub(crate) struct LocalInput<'a> {
    /// What the file is, for people.
    pub(crate) what: String,
    /// Its name in the spec.
    pub(crate) name: &'a str,
    /// Its path.
    pub(crate) path: PathBuf,
}

/// All such files of a spec.
pub(crate) fn local_inputs(file: &SpecFile) -> anyhow::Result<Vec<LocalInput<'_>>> {
    let mut named: Vec<(String, &str, String)> = Vec::new();
    let mut add = |what: String, name, place: String| named.push((what, name, place));
    for target in &file.spec.targets {
        if let Baseline::Packages(list) = &target.baseline {
            add(format!("the package list {list}"), list, list.clone());
        }
        for repository in &target.repositories {
            for key in &repository.keys {
                add(format!("the key {key}"), key, key.clone());
            }
            if let Some(list) = &repository.mirror_list {
                let place = list.replace("$basearch", target.architecture.rpm());
                add(format!("the mirror list {list}"), list, place);
            }
        }
    }
    for manifest in &file.spec.manifests {
        if let Some(own) = &manifest.value.kustomize {
            add(format!("the folder {}", own.folder), &own.folder, own.folder.clone());
        }
        let Some(chart) = &manifest.value.chart else { continue };
        if chart.kind() == ChartFrom::Local {
            add(format!("the chart {}", chart.from), &chart.from, chart.from.clone());
        }
        for values in &chart.values {
            add(format!("the values {values}"), values, values.clone());
        }
    }
    for (name, registry) in &file.spec.registries {
        if let Some(ca) = &registry.ca {
            add(format!("the certificate for registry {name}"), ca, ca.clone());
        }
    }
    for key in &file.spec.trusted_keys {
        add(format!("the trusted key {key}"), key, key.clone());
    }
    for (_, signer) in file.spec.signatures.iter() {
        match signer.file() {
            Some((None, key)) => add(format!("the key {key} for images"), key, key.to_owned()),
            Some((_, root)) => add(format!("the trusted root {root}"), root, root.to_owned()),
            None => {}
        }
    }
    let mut local = Vec::new();
    for (what, name, place) in named {
        let url = file.location(&place)?;
        if let Some(path) = url.to_file_path().ok().filter(|_| url.scheme() == "file") {
            local.push(LocalInput { what, name, path });
        }
    }
    Ok(local)
}

/// The digests that these files have now.
pub(super) fn of(file: &SpecFile) -> anyhow::Result<Vec<LockedInput>> {
    let mut inputs = Vec::new();
    for LocalInput { name, path, .. } in local_inputs(file)? {
        let digest = digest(&path).with_context(|| format!("reading {}", path.display()))?;
        inputs.push(LockedInput { path: name.to_owned(), digest });
    }
    inputs.sort();
    inputs.dedup();
    Ok(inputs)
}

/// The digest of a file, or of all that is in a folder.
pub(crate) fn digest(path: &Path) -> io::Result<Digest> {
    if path.is_dir() {
        return Ok(Folder::read(path)?.digest());
    }
    Ok(Digest::of_reader(&mut input::open(path)?)?.0)
}
