//! Checks that the local files that a lock was made from have not changed. With a
//! full cache a build reads none of them, and would pack their old content.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use anyhow::bail;
use bundle_format::bounds::MAX_INSTALLER;
use bundle_format::lock::{FileKind, Lock};
use bundle_format::{BundlePath, Digest, input};
use url::Url;

use super::task::Task;
use crate::lock::inputs::{digest, local_inputs};
use crate::lock::installers;
use crate::spec::SpecFile;

/// A local file that the lock was made from.
struct Local {
    /// What the file is, for people.
    what: String,
    path: PathBuf,
    /// Its digest in the lock. `None` if an earlier version made the lock and did
    /// not record it.
    digest: Option<Digest>,
}

/// Fails if local files differ from those of the lock. The error names all of them.
pub(super) fn check(file: &SpecFile, lock: &Lock) -> anyhow::Result<()> {
    let mut changed = Vec::new();
    for local in inputs(file, lock)?.into_iter().chain(manifests(file, lock)?) {
        compare(&local, digest, &mut changed);
    }
    installers(file, lock, &mut changed)?;
    for (repomd, packages) in repositories(file, lock) {
        let before = changed.len();
        compare(&repomd, digest, &mut changed);
        if changed.len() > before {
            continue;
        }
        for package in packages {
            compare(&package, digest, &mut changed);
        }
    }
    if !changed.is_empty() {
        bail!(
            "local files have changed since the lock was made: run `bundler lock` and look at what \
             it changes\n{}",
            changed.join("\n")
        );
    }
    Ok(())
}

/// Fails if the build would write over a file that the bundle is made from.
pub(super) fn check_places(task: &Task<'_>, written: &[PathBuf]) -> anyhow::Result<()> {
    let Task { file, lock, lock_path, .. } = *task;
    let of_spec = [(file.path.as_path(), "the spec"), (lock_path, "the lock")];
    let mut own: Vec<(String, PathBuf)> =
        of_spec.into_iter().map(|(path, what)| (what.to_owned(), path.to_owned())).collect();
    let mut add = |local: Local| own.push((local.what, local.path));
    inputs(file, lock)?.into_iter().chain(manifests(file, lock)?).for_each(&mut add);
    for (repomd, packages) in repositories(file, lock) {
        std::iter::once(repomd).chain(packages).for_each(&mut add);
    }
    for (architecture, source) in installers::sources(file) {
        if let Some(path) = local(&file.location(&source)?) {
            own.push((format!("the installer for {architecture}"), path));
        }
    }
    for path in written {
        let Ok(real) = path.canonicalize() else { continue };
        let taken = own.iter().find(|(_, own)| own.canonicalize().is_ok_and(|own| own == real));
        if let Some((what, _)) = taken {
            bail!(
                "{} would replace {what}, which the bundle is made from: choose another --output",
                path.display()
            );
        }
    }
    Ok(())
}

/// Keys, package lists and certificates.
fn inputs(file: &SpecFile, lock: &Lock) -> anyhow::Result<Vec<Local>> {
    let digest = |name: &str| lock.inputs.iter().find(|own| own.path == name).map(|own| own.digest);
    let found = local_inputs(file)?.into_iter();
    Ok(found
        .map(|own| Local { digest: digest(own.name), what: own.what, path: own.path })
        .collect())
}

fn manifests(file: &SpecFile, lock: &Lock) -> anyhow::Result<Vec<Local>> {
    let mut found = Vec::new();
    for manifest in &file.spec.manifests {
        let manifest = &manifest.value;
        let name = &manifest.name;
        if manifest.is_rendered() {
            let own = rendered(file, lock, name);
            found.extend(own);
            continue;
        }
        let source = manifest.source();
        let locked = lock.manifests.iter().find(|locked| locked.name == manifest.name);
        if let (Some(path), Some(locked)) = (local(&file.location(source)?), locked) {
            let what = format!("manifest `{}`", manifest.name);
            found.push(Local { what, path, digest: Some(locked.upstream.digest) });
        }
    }
    Ok(found)
}

/// What `lock` made of a manifest's source, and keeps beside the spec.
fn rendered(file: &SpecFile, lock: &Lock, name: &str) -> Vec<Local> {
    let manifest = lock.manifests.iter().find(|locked| locked.name == name);
    let text = manifest.map(|locked| (locked.path(), locked.upstream.digest));
    let chart = BundlePath::Chart { manifest: name.to_owned() };
    let chart = lock.files.iter().find(|locked| locked.path == chart);
    let chart = chart.map(|locked| (locked.path.clone(), locked.content.digest));
    let local = |(path, digest): (BundlePath, Digest)| Local {
        what: format!("what `lock` made for manifest `{name}`"),
        path: file.rendered(&path.file_name()),
        digest: Some(digest),
    };
    text.into_iter().chain(chart).map(local).collect()
}

fn installers(file: &SpecFile, lock: &Lock, changed: &mut Vec<String>) -> anyhow::Result<()> {
    let mut locked: Vec<_> =
        lock.files.iter().filter(|locked| locked.kind == FileKind::Installer).collect();
    for (architecture, source) in installers::sources(file) {
        let what = format!("the installer for {architecture}");
        let in_bundle = BundlePath::Installer { architecture };
        let Some(path) = local(&file.location(&source)?) else { continue };
        match locked.iter().position(|own| own.path == in_bundle) {
            Some(place) => {
                let digest = Some(locked.remove(place).content.digest);
                let with_keys = |path: &Path| {
                    let program = input::file(path, MAX_INSTALLER)?;
                    let whole = installers::with_keys(file, program).map_err(io::Error::other)?;
                    Ok(Digest::of(&whole))
                };
                compare(&Local { what, path, digest }, with_keys, changed);
            }
            None => {
                changed.push(format!(
                    "{what} was not there when the lock was made: {}",
                    path.display()
                ));
            }
        }
    }
    for gone in locked {
        changed.push(format!("{} is not there any more: it was {}", gone.path, gone.source));
    }
    Ok(())
}

/// For each local repository, its metadata and the packages that come from it.
fn repositories(file: &SpecFile, lock: &Lock) -> Vec<(Local, Vec<Local>)> {
    let mut found = Vec::new();
    for locked in &lock.targets {
        if !file.spec.targets.iter().any(|target| target.id() == locked.id) {
            continue;
        }
        for repository in &locked.repositories {
            let repomd = repository.base_url.join("repodata/repomd.xml").ok();
            let Some(path) = repomd.and_then(|url| local(&url)) else { continue };
            let what = format!("repository `{}`", repository.id);
            let repomd = Local { what, path, digest: Some(repository.repomd) };
            let own = lock
                .rpms
                .iter()
                .filter(|rpm| rpm.target == locked.id && rpm.repository == repository.id);
            let packages = own.filter_map(|rpm| {
                let (what, digest) = (rpm.package.to_string(), Some(rpm.digest));
                Some(Local { what, path: local(&rpm.source)?, digest })
            });
            found.push((repomd, packages.collect()));
        }
    }
    found
}

fn local(url: &Url) -> Option<PathBuf> {
    url.to_file_path().ok().filter(|_| url.scheme() == "file")
}

fn compare(local: &Local, read: impl Fn(&Path) -> io::Result<Digest>, changed: &mut Vec<String>) {
    let Local { what, path, digest: Some(digest) } = local else { return };
    let words = match read(path) {
        Ok(found) if found == *digest => return,
        Ok(_) => "has changed since the lock was made".to_owned(),
        Err(error) if error.kind() == ErrorKind::NotFound => "is not there any more".to_owned(),
        Err(error) => format!("cannot be read ({error})"),
    };
    let line = format!("{what} {words}: {}", path.display());
    // Several repositories may have the same key.
    if !changed.contains(&line) {
        changed.push(line);
    }
}
