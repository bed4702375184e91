//! Fetching many blobs at once: one queue, the largest first.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use bundle_format::Digest;

use super::cache::Cache;
use super::download::{DownloadError, Source, download};

/// How many transfers run at a time, all from one host if it has everything. Over a link that
/// loses packets, each connection has a limit of its own, so fewer would be slower.
const TRANSFERS: usize = 8;

/// A blob to fetch.
pub struct Job<'a> {
    /// What it is, in words. Many blobs may be of one thing.
    pub label: Arc<str>,
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Gives the places that have it, the preferred first. There may be a hundred thousand
    /// blobs, so their requests are made when they are needed.
    pub sources: Box<dyn Fn() -> Vec<Source<'a>> + Send + Sync + 'a>,
}

/// A blob that could not be fetched.
#[derive(Debug, thiserror::Error)]
#[error("cannot fetch {label}: {source}")]
pub struct JobError {
    /// What the blob is, in words.
    pub label: String,
    /// Why.
    pub source: DownloadError,
}

/// Fetches the blobs that the cache does not have. `progress` is called with a job's
/// label and numbers of bytes as they come, and `done` with the digest of a blob that is
/// in the cache now. After a failure, no new job begins. All failures are given.
pub fn fetch_all(
    cache: &Cache,
    mut jobs: Vec<Job<'_>>,
    progress: &(dyn Fn(&str, u64) + Sync),
    done: &(dyn Fn(Digest) + Sync),
) -> Result<(), Vec<JobError>> {
    let mut seen = HashSet::new();
    jobs.retain(|job| seen.insert(job.digest));
    // Jobs are taken from the end.
    jobs.sort_by(|a, b| (a.size, &a.label).cmp(&(b.size, &b.label)));
    let state = Mutex::new(State { jobs, errors: Vec::new() });
    std::thread::scope(|scope| {
        for _ in 0..TRANSFERS {
            scope.spawn(|| work(cache, &state, progress, done));
        }
    });
    let errors = state.into_inner().unwrap_or_else(PoisonError::into_inner).errors;
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

struct State<'a> {
    jobs: Vec<Job<'a>>,
    errors: Vec<JobError>,
}

fn work(
    cache: &Cache,
    state: &Mutex<State<'_>>,
    progress: &(dyn Fn(&str, u64) + Sync),
    done: &(dyn Fn(Digest) + Sync),
) {
    let next = || {
        let mut held = state.lock().unwrap_or_else(PoisonError::into_inner);
        if held.errors.is_empty() { held.jobs.pop() } else { None }
    };
    while let Some(job) = next() {
        match fetch(cache, &job, progress) {
            Ok(()) => done(job.digest),
            Err(source) => {
                let mut held = state.lock().unwrap_or_else(PoisonError::into_inner);
                held.errors.push(JobError { label: job.label.to_string(), source });
            }
        }
    }
}

/// Fetches one blob. A panic counts as a failure of the job. If it ended the thread, nobody
/// would know that the blob is missing.
fn fetch(
    cache: &Cache,
    job: &Job<'_>,
    progress: &(dyn Fn(&str, u64) + Sync),
) -> Result<(), DownloadError> {
    let tell = |count| progress(&job.label, count);
    let fetch = || download(cache, &(job.sources)(), &job.digest.into(), job.size, &tell);
    match catch_unwind(AssertUnwindSafe(fetch)) {
        Ok(result) => result.map(drop),
        Err(_) => Err(DownloadError::Panicked),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::{Fetch, FetchError, Request, Response};

    /// Panics at every second request, and has nothing for the others.
    struct Panicking(Mutex<usize>);

    impl Fetch for Panicking {
        fn open(&self, request: &Request) -> Result<Response, FetchError> {
            let number = {
                let mut asked = self.0.lock().unwrap();
                *asked += 1;
                *asked
            };
            assert!(number % 2 == 0, "a mistake");
            Err(FetchError::Scheme { url: request.url.clone() })
        }
    }

    #[test]
    fn a_thread_that_panics_is_a_failure_and_holds_up_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path()).unwrap();
        let fetch = Panicking(Mutex::default());
        // More jobs than run at a time.
        let jobs = (0..3 * TRANSFERS).map(|number| Job {
            label: number.to_string().into(),
            digest: Digest::of(number.to_string().as_bytes()),
            size: 1,
            sources: Box::new(|| {
                vec![Source::new(&fetch, "http://127.0.0.1/blob".parse().unwrap())]
            }),
        });
        let errors = fetch_all(&cache, jobs.collect(), &|_, _| {}, &|_| {}).unwrap_err();
        assert!(errors.iter().any(|error| matches!(error.source, DownloadError::Panicked)));
        // A panic in `progress` does not hang either.
        let digest = cache.insert(b"there").unwrap();
        let job = Job { label: "there".into(), digest, size: 5, sources: Box::new(Vec::new) };
        let errors =
            fetch_all(&cache, vec![job], &|_, _| panic!("a mistake"), &|_| {}).unwrap_err();
        assert!(errors[0].to_string().contains("bug"), "{}", errors[0]);
    }
}
