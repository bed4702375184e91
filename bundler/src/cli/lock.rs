//! `bundler lock`: writes down what a spec means today.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context;
use bundle_format::bounds::MAX_LOCK;
use bundle_format::text::count;
use bundle_format::{Lock, input, layout};
use clap::Args;

use super::report;
use crate::build::write_file;
use crate::fetch::cache::Cache;
use crate::fetch::notice::Notices;
use crate::lock::{self, Upstreams};
use crate::spec::SpecFile;

/// Writes down what a spec means today, as <SPEC>.lock.json
///
/// Every artifact with its source, size and digest, and why it is there.
#[derive(Args)]
pub(super) struct Arguments {
    /// The spec
    #[arg(default_value = "bundle.yaml")]
    spec: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let file = SpecFile::read(&arguments.spec)?;
    let upstreams = Upstreams::new(&file, Cache::of_user()?, &Notices::new(false))?;
    make(&file, &upstreams)?;
    Ok(())
}

/// `bundle.yaml` → `bundle.yaml.lock.json`.
pub(super) fn path_of(spec: &Path) -> PathBuf {
    let mut name = spec.as_os_str().to_owned();
    name.push(".lock.json");
    PathBuf::from(name)
}

/// Makes the lock and writes it beside the spec.
pub(super) fn make(file: &SpecFile, upstreams: &Upstreams) -> anyhow::Result<Lock> {
    let lock = lock::resolve(file, upstreams, SystemTime::now())
        .with_context(|| format!("locking {}", file.path.display()))?;
    let path = path_of(&file.path);
    write_file(&path, &layout::lock_bytes(&lock)?)?;
    for warning in &lock.warnings {
        report::notice(&format!("warning: {warning}"));
    }
    report::notice(&format!(
        "locked {}, {}, {} in {}",
        count(lock.rpms.len(), "package"),
        count(lock.images.len(), "image"),
        count(lock.manifests.len(), "manifest"),
        path.display()
    ));
    Ok(lock)
}

/// Reads a lock that was written before.
pub(super) fn read(path: &Path) -> anyhow::Result<Lock> {
    let read = || -> anyhow::Result<Lock> {
        let bytes = input::file(path, MAX_LOCK)?;
        Lock::parse(&bytes).context("run `bundler lock` to make it anew")
    };
    read().with_context(|| format!("reading {}", path.display()))
}
