//! Checks the files that a spec names, before anything is fetched.

use std::path::PathBuf;

use bundle_format::yaml::{Node, Place, Problem};
use url::Url;

use super::chart::From;
use super::file::SpecFile;
use super::target::Baseline;

/// A problem for each file that the spec names and that is not a readable regular file.
/// `root` is the spec as YAML: each problem has its line and column from there.
pub(super) fn missing(file: &SpecFile, root: &Node) -> Vec<Problem> {
    let mut missing = Vec::new();
    let mut look = |name: &str, place: Place| missing.extend(problem(file, name, place, false));
    for (target, node) in file.spec.targets.iter().zip(root.items("targets")) {
        if let Baseline::Packages(list) = &target.baseline {
            let place = node.value("baseline").map_or(node.place, |node| node.place_of("packages"));
            look(list, place);
        }
        for (repository, node) in target.repositories.iter().zip(node.items("repositories")) {
            for (key, node) in repository.keys.iter().zip(node.items("keys")) {
                look(key, node.place);
            }
        }
    }
    for (manifest, node) in file.spec.manifests.iter().zip(root.items("manifests")) {
        if let Some(name) = &manifest.value.file {
            look(name, node.place_of("file"));
        }
    }
    for (name, registry) in &file.spec.registries {
        let node = root.value("registries").and_then(|node| node.value(name));
        if let (Some(ca), Some(node)) = (&registry.ca, node) {
            look(ca, node.place_of("ca"));
        }
    }
    let installers = file.spec.installers.iter().flatten();
    for (installer, node) in installers.zip(root.items("installers")) {
        look(&installer.file, node.place_of("file"));
    }
    for (key, node) in file.spec.trusted_keys.iter().zip(root.items("trustedKeys")) {
        look(key, node.place);
    }
    for (prefix, signer) in file.spec.signatures.iter() {
        if let (Some((key, name)), Some(node)) = (signer.file(), root.value("signatures")) {
            let inner = key.and_then(|key| Some(node.value(prefix)?.place_of(key)));
            look(name, inner.unwrap_or_else(|| node.place_of(prefix)));
        }
    }
    missing.extend(of_folders(file, root));
    missing
}

/// The same for charts and Kustomizations, which may be folders.
fn of_folders(file: &SpecFile, root: &Node) -> Vec<Problem> {
    let mut missing = Vec::new();
    for (manifest, node) in file.spec.manifests.iter().zip(root.items("manifests")) {
        if let (Some(own), Some(node)) = (&manifest.value.kustomize, node.value("kustomize")) {
            missing.extend(problem(file, &own.folder, node.place_of("folder"), true));
        }
        let (Some(chart), Some(node)) = (&manifest.value.chart, node.value("chart")) else {
            continue;
        };
        if chart.kind() == From::Local {
            missing.extend(problem(file, &chart.from, node.place_of("from"), true));
        }
        for (name, node) in chart.values.iter().zip(node.items("values")) {
            missing.extend(problem(file, name, node.place, false));
        }
    }
    missing
}

/// What is wrong with the local file that `name` names at `place`.
fn problem(file: &SpecFile, name: &str, place: Place, may_be_folder: bool) -> Option<Problem> {
    let path = path(file, name)?;
    let whole = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
    let shown = whole.display();
    let message = match std::fs::metadata(&path) {
        Ok(found) if found.is_dir() && may_be_folder => {
            let spec = file.path.canonicalize().ok();
            let folder = path.canonicalize().ok();
            if !spec.zip(folder).is_some_and(|(spec, folder)| spec.starts_with(folder)) {
                return None;
            }
            format!("the spec itself is in {shown}: name a folder that has nothing else in it")
        }
        Ok(found) if found.is_dir() => format!("{shown} is a folder: name a file"),
        // Reading a FIFO would wait for its writer, and some devices have no end.
        Ok(found) if !found.is_file() => {
            format!("{shown} is not a regular file: write its content into one")
        }
        Ok(_) => return None,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            format!("no such file: {shown}; write its path from the spec's folder")
        }
        Err(error) => format!("{shown} cannot be read: {error}"),
    };
    Some(Problem::new(place, message))
}

/// The path of `name`, if it names a local file.
fn path(file: &SpecFile, name: &str) -> Option<PathBuf> {
    if !name.contains("://") {
        return Some(file.beside(name));
    }
    Url::parse(name).ok().filter(|url| url.scheme() == "file")?.to_file_path().ok()
}
