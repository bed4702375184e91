//! Fetching many blobs at once: one queue, the largest first.

use std::collections::{HashMap, HashSet};
use std::sync::{Condvar, Mutex, PoisonError};

use bundle_format::Digest;

use super::cache::Cache;
use super::download::{DownloadError, Source, download};

/// How many transfers run at a time.
const TRANSFERS: usize = 8;
/// How many of them from one host.
const PER_HOST: usize = 6;

/// A blob to fetch.
pub struct Job<'a> {
    /// What it is, for people.
    pub label: String,
    /// Its digest.
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
    /// The places that have it, the best first.
    pub sources: Vec<Source<'a>>,
}

/// A blob that could not be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot fetch {label}: {source}")]
pub struct JobError {
    /// What it was.
    pub label: String,
    /// Why.
    pub source: DownloadError,
}

/// Fetches every job's blob that the cache lacks; `progress` hears of a job's
/// label and of bytes as they come. After a failure nothing new is begun; all
/// failures are given.
pub fn fetch_all(
    cache: &Cache,
    mut jobs: Vec<Job<'_>>,
    progress: &(dyn Fn(&str, u64) + Sync),
) -> Result<(), Vec<JobError>> {
    let mut seen = HashSet::new();
    jobs.retain(|job| seen.insert(job.digest));
    // The last is taken first.
    jobs.sort_by(|a, b| (a.size, &a.label).cmp(&(b.size, &b.label)));
    let state = Mutex::new(State { jobs, running: HashMap::new(), errors: Vec::new() });
    let changed = Condvar::new();
    std::thread::scope(|scope| {
        for _ in 0..TRANSFERS {
            scope.spawn(|| work(cache, &state, &changed, progress));
        }
    });
    let errors = state.into_inner().unwrap_or_else(PoisonError::into_inner).errors;
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

struct State<'a> {
    jobs: Vec<Job<'a>>,
    running: HashMap<String, usize>,
    errors: Vec<JobError>,
}

fn host(job: &Job<'_>) -> String {
    job.sources
        .first()
        .and_then(|source| source.request.url.host_str())
        .unwrap_or_default()
        .to_owned()
}

fn work(
    cache: &Cache,
    state: &Mutex<State<'_>>,
    changed: &Condvar,
    progress: &(dyn Fn(&str, u64) + Sync),
) {
    let mut held = state.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if held.jobs.is_empty() || !held.errors.is_empty() {
            return;
        }
        let running = &held.running;
        let free = |job: &Job<'_>| running.get(&host(job)).copied().unwrap_or(0) < PER_HOST;
        let Some(place) = held.jobs.iter().rposition(free) else {
            held = changed.wait(held).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        let job = held.jobs.remove(place);
        let host = host(&job);
        *held.running.entry(host.clone()).or_default() += 1;
        drop(held);
        let result = download(cache, &job.sources, job.digest, job.size, &|count| {
            progress(&job.label, count);
        });
        held = state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.running.get_mut(&host) {
            *count -= 1;
        }
        if let Err(source) = result {
            held.errors.push(JobError { label: job.label, source });
        }
        changed.notify_all();
    }
}
