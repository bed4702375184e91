//! Whether everything in a lock comes from where its spec says. A build asks these places, so
//! a lock that somebody has edited must not lead it to others. Images have their places from
//! the spec alone, except for the name that they are pulled by (`fits`).

use std::fmt::Display;

use bundle_format::BundlePath;
use bundle_format::lock::{
    FileKind, FileSource, Lock, LockedFile, LockedRepository, LockedRpm, LockedTarget,
};

use super::{base_urls, installers};
use crate::rpm::location;
use crate::spec::{Repository, SpecFile, Target};

/// What comes from elsewhere, a line each.
pub(super) fn misfits(file: &SpecFile, lock: &Lock) -> Vec<String> {
    let mut found = files(file, lock);
    for (own, locked) in file.spec.manifests.iter().zip(&lock.manifests) {
        let source = own.value.source();
        if locked.source != source {
            let what = format!("manifest {}", locked.name);
            found.push(elsewhere(what, &locked.source, source));
        }
    }
    for (own, locked) in file.spec.targets.iter().zip(&lock.targets) {
        for (repository, of_lock) in own.repositories.iter().zip(&locked.repositories) {
            let of_target = (own, repository);
            found.extend(of_repository(file, of_target, of_lock));
            found.extend(packages(lock, locked, of_lock));
        }
    }
    found
}

/// Keys and installers. The check of local files tells if an installer is gone.
fn files(file: &SpecFile, lock: &Lock) -> Vec<String> {
    let mut wanted = keys(file);
    let is_there = |path: &BundlePath| lock.files.iter().any(|file| file.path == *path);
    let missing = wanted.iter().filter(|(path, _)| !is_there(path));
    let mut found: Vec<String> =
        missing.map(|(path, _)| format!("the key {path} is not there")).collect();
    wanted.extend(charts(file));
    wanted.extend(installers::sources(file).into_iter().map(|(architecture, source)| {
        let source = match &file.spec.installers {
            Some(_) => FileSource::Named(source),
            None => FileSource::BesideBundler,
        };
        (BundlePath::Installer { architecture }, source)
    }));
    for LockedFile { kind, path, source, .. } in &lock.files {
        match wanted.iter().find(|(own, _)| own == path) {
            Some((_, own)) if own == source => {}
            Some((_, own)) => found.push(elsewhere(path, source, own)),
            None if *kind == FileKind::Installer => {}
            None => found.push(format!("nothing asks for {path}")),
        }
    }
    found
}

fn charts(file: &SpecFile) -> impl Iterator<Item = (BundlePath, FileSource)> {
    let own = file.spec.manifests.iter().map(|manifest| &manifest.value);
    own.filter_map(|manifest| {
        let source = FileSource::Named(manifest.chart.as_ref()?.from.clone());
        Some((BundlePath::Chart { manifest: manifest.name.clone() }, source))
    })
}

fn keys(file: &SpecFile) -> Vec<(BundlePath, FileSource)> {
    let mut keys = Vec::new();
    for target in &file.spec.targets {
        for repository in &target.repositories {
            for (index, source) in repository.keys.iter().enumerate() {
                let (target, repository) = (target.id(), repository.id.value.clone());
                let path = BundlePath::Key { target, repository, number: index + 1 };
                keys.push((path, FileSource::Named(source.clone())));
            }
        }
    }
    keys
}

fn elsewhere(what: impl Display, lock: impl Display, spec: impl Display) -> String {
    format!("{what} is from {lock}, but the spec says {spec}")
}

/// A repository of the lock that is not where the spec has it. A folder on this machine may
/// have another name, such as that of a link to it.
fn of_repository(
    file: &SpecFile,
    (target, own): (&Target, &Repository),
    locked: &LockedRepository,
) -> Option<String> {
    let place = &locked.base_url;
    let subject = format!("repository {}/{}", target.id(), locked.id);
    match base_urls::base_url(file, target, own) {
        Some(Ok(url)) if url.scheme() == "file" && place.scheme() == "file" => None,
        Some(Ok(url)) if location::folder(&url) == *place => None,
        Some(Ok(url)) => Some(elsewhere(subject, place, url)),
        Some(Err(error)) => Some(format!("{subject}: {error:#}")),
        None if base_urls::is_mirror(own, place) => None,
        None => Some(format!("{subject} is from {place}, which cannot be one of its mirrors")),
    }
}

/// The packages to which the metadata of their repository cannot have led.
fn packages(lock: &Lock, target: &LockedTarget, repository: &LockedRepository) -> Vec<String> {
    let is_own = |rpm: &&LockedRpm| rpm.target == target.id && rpm.repository == repository.id;
    let own = lock.rpms.iter().filter(is_own);
    own.filter_map(|rpm| {
        let reason = location::fits(&repository.base_url, &rpm.source).err()?;
        Some(format!("package {}: its place {} {reason}", rpm.package, rpm.source))
    })
    .collect()
}
