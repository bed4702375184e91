//! The place that a chart comes from. Charts are fetched as everything else is, so that
//! proxies, the cache and `--offline` are valid for them too. `helm` gets files only.

use anyhow::{Context, bail};
use bundle_format::{Digest, input};

use super::archive::MAX_CHART;
use super::folder::Folder;
use super::{registry, repository};
use crate::lock::task::Task;
use crate::page;
use crate::spec::{Chart, ChartFrom, Manifest};

/// A chart as it comes.
pub(super) enum Origin {
    /// A folder beside the spec.
    Folder(Folder),
    /// A packed chart.
    Archive(Vec<u8>),
}

impl Origin {
    /// Reads or fetches the chart of a manifest.
    pub(super) fn get(task: &Task<'_>, manifest: &Manifest, chart: &Chart) -> anyhow::Result<Self> {
        let path = task.file.beside(&chart.from);
        if chart.kind() == ChartFrom::Local && path.is_dir() {
            if manifest.sha256.is_some() {
                bail!("a folder has no `sha256`: leave it out, or name a packed chart");
            }
            return Ok(Self::Folder(Folder::read(&path)?));
        }
        let locked = task.kept.and_then(|kept| kept.chart(&manifest.name, &chart.from));
        let as_locked = locked.and_then(|chart| task.upstreams.cache.document(&chart.content).ok());
        let bytes = match as_locked {
            Some(bytes) => bytes,
            None => fetch(task, chart)?,
        };
        if let Some(what) = page::instead(&bytes) {
            let source = &chart.from;
            bail!("{source} gave {what} instead of a chart: {}", page::advice(source));
        }
        let digest = Digest::of(&bytes);
        match &manifest.sha256 {
            Some(wanted) if *wanted != digest.hex() => bail!(
                "the chart from {} has the sha256 {}, but the spec says {wanted}: its publisher or \
                 somebody on the way changed it",
                chart.from,
                digest.hex()
            ),
            _ => Ok(Self::Archive(bytes)),
        }
    }

    /// The digest of all that is in it.
    pub(super) fn digest(&self) -> Digest {
        match self {
            Self::Folder(folder) => folder.digest(),
            Self::Archive(bytes) => Digest::of(bytes),
        }
    }
}

fn fetch(task: &Task<'_>, chart: &Chart) -> anyhow::Result<Vec<u8>> {
    let Task { file, upstreams, .. } = *task;
    match (chart.kind(), &chart.name, &chart.version) {
        (ChartFrom::Local, ..) => {
            let path = file.beside(&chart.from);
            input::file(&path, MAX_CHART).with_context(|| format!("reading {}", path.display()))
        }
        (ChartFrom::Repository, Some(name), Some(version)) => {
            repository::fetch(upstreams, &file.location(&chart.from)?, name, version)
        }
        (ChartFrom::Registry, _, Some(version)) => registry::fetch(upstreams, &chart.from, version),
        _ => upstreams.read(file, &chart.from, MAX_CHART),
    }
}
