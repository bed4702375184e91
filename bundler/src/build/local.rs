//! Whether the local files that a lock was made of are still the same. With a full
//! cache a build reads none of them, and would pack what they were.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use anyhow::bail;
use bundle_format::lock::{FileKind, Lock};
use bundle_format::{Digest, input};
use url::Url;

use crate::lock::{installer_sources, local_inputs, location, title_of_installer};
use crate::spec::SpecFile;

/// Fails, with all of them, where local files are others than those of the lock.
pub(super) fn check(file: &SpecFile, lock: &Lock) -> anyhow::Result<()> {
    let mut changed = Vec::new();
    inputs(file, lock, &mut changed)?;
    manifests(file, lock, &mut changed)?;
    installers(file, lock, &mut changed)?;
    repositories(file, lock, &mut changed);
    if !changed.is_empty() {
        bail!(
            "local files are not those that the lock was made of: run `bundler lock` and look at \
             what it changes\n{}",
            changed.join("\n")
        );
    }
    Ok(())
}

/// Keys, lists and certificates. A lock of an earlier version does not say what
/// they were.
fn inputs(file: &SpecFile, lock: &Lock, changed: &mut Vec<String>) -> anyhow::Result<()> {
    for local in local_inputs(file)? {
        if let Some(own) = lock.inputs.iter().find(|own| own.path == local.name) {
            compare(&local.what, &local.path, own.digest, changed);
        }
    }
    Ok(())
}

fn manifests(file: &SpecFile, lock: &Lock, changed: &mut Vec<String>) -> anyhow::Result<()> {
    for manifest in &file.spec.manifests {
        let manifest = &manifest.value;
        let source = manifest.url.as_deref().or(manifest.file.as_deref()).unwrap_or_default();
        let locked = lock.manifests.iter().find(|locked| locked.name == manifest.name);
        if let (Some(path), Some(locked)) = (local(&location(file, source)?), locked) {
            let what = format!("manifest `{}`", manifest.name);
            compare(&what, &path, locked.upstream.digest, changed);
        }
    }
    Ok(())
}

fn installers(file: &SpecFile, lock: &Lock, changed: &mut Vec<String>) -> anyhow::Result<()> {
    let mut locked: Vec<_> =
        lock.files.iter().filter(|locked| locked.kind == FileKind::Installer).collect();
    for (architecture, source) in installer_sources(file) {
        let what = format!("the installer for {architecture}");
        let title = title_of_installer(architecture);
        let Some(path) = local(&location(file, &source)?) else { continue };
        match locked.iter().position(|own| own.title == title) {
            Some(place) => {
                compare(&what, &path, locked.remove(place).content.digest, changed);
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
        changed.push(format!("{} is not there any more: it was {}", gone.title, gone.source));
    }
    Ok(())
}

/// A repository's metadata, and where that is the same, its packages.
fn repositories(file: &SpecFile, lock: &Lock, changed: &mut Vec<String>) {
    for locked in &lock.targets {
        if !file.spec.targets.iter().any(|target| target.id() == locked.id) {
            continue;
        }
        for repository in &locked.repositories {
            let repomd = repository.base_url.join("repodata/repomd.xml").ok();
            let before = changed.len();
            if let Some(path) = repomd.and_then(|url| local(&url)) {
                let what = format!("repository `{}`", repository.id);
                compare(&what, &path, repository.repomd, changed);
            }
            if changed.len() > before {
                continue;
            }
            let own = lock
                .rpms
                .iter()
                .filter(|rpm| rpm.target == locked.id && rpm.repository == repository.id);
            for rpm in own {
                if let Some(path) = local(&rpm.source) {
                    compare(&rpm.package.to_string(), &path, rpm.digest, changed);
                }
            }
        }
    }
}

fn local(url: &Url) -> Option<PathBuf> {
    url.to_file_path().ok().filter(|_| url.scheme() == "file")
}

fn compare(what: &str, path: &Path, digest: Digest, changed: &mut Vec<String>) {
    let read =
        |path: &Path| -> io::Result<Digest> { Ok(Digest::of_reader(&mut input::open(path)?)?.0) };
    let words = match read(path) {
        Ok(found) if found == digest => return,
        Ok(_) => "has changed since the lock was made".to_owned(),
        Err(error) if error.kind() == ErrorKind::NotFound => "is not there any more".to_owned(),
        Err(error) => format!("cannot be read ({error})"),
    };
    let line = format!("{what} {words}: {}", path.display());
    // A key may be that of several repositories.
    if !changed.contains(&line) {
        changed.push(line);
    }
}
