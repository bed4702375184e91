//! The lock beside a spec.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bundle_format::bounds::MAX_LOCK;
use bundle_format::lock::{Descriptor, FileKind};
use bundle_format::text::count;
use bundle_format::{BundlePath, Lock, input, layout};

use super::print;
use crate::build::write_file;
use crate::fetch::cache::Cache;
use crate::spec::SpecFile;

/// `bundle.yaml` → `bundle.yaml.lock.json`.
pub(super) fn path_of(spec: &Path) -> PathBuf {
    let mut name = spec.as_os_str().to_owned();
    name.push(".lock.json");
    PathBuf::from(name)
}

/// Reads a lock that was written before.
pub(super) fn read(path: &Path) -> anyhow::Result<Lock> {
    let kind = path.metadata().map_err(|error| error.kind());
    if kind.is_err_and(|kind| kind == ErrorKind::NotFound) {
        bail!("there is no {}: run `bundler lock`", path.display());
    }
    let read = || -> anyhow::Result<Lock> {
        let bytes = input::file(path, MAX_LOCK)?;
        Lock::parse(bytes).context("run `bundler lock` to make it again")
    };
    read().with_context(|| format!("reading {}", path.display()))
}

/// Writes a lock beside its spec, with what was made for it, and prints what is in it.
pub(super) fn write(file: &SpecFile, lock: &Lock, cache: &Cache) -> anyhow::Result<()> {
    let path = &path_of(&file.path);
    for (kept, content) in made(file, lock) {
        if let Some(folder) = kept.parent() {
            fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        }
        write_file(&kept, &cache.document(content)?)?;
    }
    write_file(path, &layout::lock_bytes(lock)?)?;
    for warning in lock.warnings.iter().cloned().chain(left_over(file, lock)) {
        print::notice(&format!("warning: {warning}"));
    }
    let hops: Vec<&str> = lock.hops.iter().map(|hop| hop.kubernetes.as_str()).collect();
    let hops = match hops.as_slice() {
        [] => String::new(),
        hops => format!(", and the hops {}", hops.join(", ")),
    };
    print::notice(&format!(
        "locked {}, {}, {}{hops} in {}",
        count(lock.rpms.len(), "package"),
        count(lock.images.len(), "image"),
        count(lock.manifests.len(), "manifest"),
        path.display()
    ));
    Ok(())
}

/// The manifests that `lock` has made, and their charts. A build on another machine takes
/// them from beside the spec.
fn made<'a>(file: &SpecFile, lock: &'a Lock) -> Vec<(PathBuf, &'a Descriptor)> {
    let place = |path: BundlePath| file.rendered(&path.file_name());
    let made = lock.manifests.iter().filter(|manifest| manifest.rendered.is_some());
    let made = made.map(|manifest| (place(manifest.path()), &manifest.upstream));
    let charts = lock.files.iter().filter(|file| file.kind == FileKind::Chart);
    made.chain(charts.map(|chart| (place(chart.path.clone()), &chart.content))).collect()
}

/// A warning about each file that was made for a manifest which the spec no longer has. It may
/// hold the manifest's passwords, so a person decides.
fn left_over(file: &SpecFile, lock: &Lock) -> Vec<String> {
    let current: BTreeSet<PathBuf> = made(file, lock).into_iter().map(|(path, _)| path).collect();
    let found = fs::read_dir(file.rendered("")).into_iter().flatten().flatten();
    let mut old: Vec<PathBuf> = found.map(|entry| entry.path()).collect();
    old.retain(|path| {
        let is_ours = path.extension().is_some_and(|end| end == "yaml" || end == "tgz");
        is_ours && !current.contains(path)
    });
    old.sort();
    let words = |path: &PathBuf| {
        format!("{} is of no manifest that the spec has: remove it", path.display())
    };
    old.iter().map(words).collect()
}
