//! Fetches everything that a lock lists into the cache.

use std::collections::HashSet;

use anyhow::bail;
use bundle_format::lock::{FileKind, LockedFile};

use super::bill::Bill;
use super::output::check_folder;
use super::task::Task;
use super::{agreement, jobs};
use crate::fetch::FetchError;
use crate::fetch::download::DownloadError;
use crate::fetch::memory::Network;
use crate::fetch::queue::{Job, JobError, fetch_all};
use crate::lock::{installers, keys};
use crate::outage::{Places, Problems};
use crate::progress::Progress;
use crate::upstreams::Upstreams;

/// Fetches what the cache lacks, and checks that it agrees with the locks. All tasks are
/// of one bundle.
/// While it waits for them, `bill` reads layers that have come.
pub(super) fn gather(tasks: &[Task<'_>], bill: &Bill<'_>) -> anyhow::Result<()> {
    let Some(Task { upstreams, quiet, .. }) = tasks.first().copied() else { return Ok(()) };
    let registry = upstreams.puller.fetch();
    let mut jobs = Vec::new();
    for task in tasks {
        let mut made = made_keys(task)?;
        made.extend(made_installers(task)?);
        jobs.extend(jobs::jobs(task, &made, &*registry)?);
    }
    let mut seen = HashSet::new();
    jobs.retain(|job| seen.insert(job.digest));
    if upstreams.client.network() == Network::Off {
        refuse_what_is_elsewhere(&jobs)?;
    }
    fetch(jobs, upstreams, bill, quiet)?;
    tasks.iter().try_for_each(agreement::check)
}

/// Without a network, fails for everything that is not a local file.
fn refuse_what_is_elsewhere(jobs: &[Job<'_>]) -> anyhow::Result<()> {
    let elsewhere = jobs.iter().filter_map(|job| {
        let url = (job.sources)().first()?.request.url.clone();
        let is_elsewhere = url.scheme() != "file";
        is_elsewhere.then(|| format!("{}: {}", job.label, FetchError::Offline { url }))
    });
    let missing: Vec<String> = elsewhere.collect();
    if !missing.is_empty() {
        bail!("{}", missing.join("\n"));
    }
    Ok(())
}

/// Fetches all blobs. The error has all problems.
fn fetch(
    jobs: Vec<Job<'_>>,
    upstreams: &Upstreams,
    bill: &Bill<'_>,
    quiet: bool,
) -> anyhow::Result<()> {
    if jobs.is_empty() {
        return Ok(());
    }
    let missing: u64 = jobs.iter().map(|job| job.size).sum();
    check_folder(upstreams.cache.folder(), missing)?;
    let places = places(&jobs);
    places.announce(&upstreams.hosts);
    let progress = Progress::new("fetching", missing, quiet);
    let tell = |label: &str, count| progress.add(label, count);
    let result = bill.read_meanwhile(|done| fetch_all(&upstreams.cache, jobs, &tell, done));
    let mut problems = Problems::default();
    if let Err(errors) = result {
        errors.iter().for_each(|error| problems.add_job(error));
        if errors.iter().any(is_changed) {
            problems.line(
                "upstream's files differ from the lock: run `bundler lock` and look at what it \
                 changes"
                    .to_owned(),
            );
        }
    }
    problems.end(&places, &upstreams.hosts)?;
    progress.finish();
    Ok(())
}

/// The hosts that are asked, with the things that only they have.
fn places(jobs: &[Job<'_>]) -> Places {
    let mut places = Places::default();
    for job in jobs {
        let sources = (job.sources)();
        for source in &sources {
            let only_for = (sources.len() == 1).then(|| job.label.to_string());
            places.add(&source.request.url, only_for);
        }
    }
    places
}

/// Whether a server sent other bytes than those of the lock.
fn is_changed(error: &JobError) -> bool {
    let DownloadError::Sources(places) = &error.source else { return false };
    places.iter().any(|place| matches!(place, FetchError::Mismatch { .. }))
}

/// Makes the lock's keys again if the cache lacks one. The bundle's file of a key may
/// be merged from several copies, and then no upstream has it.
fn made_keys<'a>(task: &Task<'a>) -> anyhow::Result<Vec<&'a LockedFile>> {
    let Task { file, lock, upstreams, .. } = *task;
    let keys: Vec<_> = lock.files.iter().filter(|file| file.kind == FileKind::Key).collect();
    let is_missing = |key: &&&LockedFile| upstreams.cache.document(&key.content).is_err();
    if keys.iter().any(|key| is_missing(&key)) {
        let mut problems = Problems::default();
        for target in &file.spec.targets {
            keys::read(file, target, upstreams, &mut problems);
        }
        problems.fail()?;
    }
    let changed: Vec<String> = keys
        .iter()
        .filter(is_missing)
        .map(|key| {
            format!(
                "the key {} has changed since the lock was made: run `bundler lock`",
                key.source
            )
        })
        .collect();
    if !changed.is_empty() {
        bail!("{}", changed.join("\n"));
    }
    Ok(keys)
}

/// Makes the lock's installers again if the cache lacks one, and the spec's keys are in
/// their files: then no upstream has them.
fn made_installers<'a>(task: &Task<'a>) -> anyhow::Result<Vec<&'a LockedFile>> {
    let Task { file, lock, upstreams, .. } = *task;
    if file.spec.trusted_keys.is_empty() {
        return Ok(Vec::new());
    }
    let kept = lock.files.iter().filter(|file| file.kind == FileKind::Installer);
    let installers: Vec<_> = kept.collect();
    let is_missing =
        |one: &&&LockedFile| upstreams.cache.open(one.content.digest, one.content.size).is_none();
    if installers.iter().any(|one| is_missing(&one)) {
        installers::lock(file, upstreams, &[])?;
    }
    match installers.iter().find(is_missing) {
        Some(one) => bail!(
            "the installer {} or a trusted key has changed since the lock was made: run `bundler \
             lock`",
            one.source
        ),
        None => Ok(installers),
    }
}
