//! Sending many blobs at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::bail;
use bundle_format::parallel;
use distribution::site::Site;

use super::blob::Blob;
use super::sessions::Sessions;
use super::upload::{Moved, Upload};
use crate::image::registry::Endpoint;
use crate::progress::Progress;

/// How many blobs are on their way at a time.
const TRANSFERS: usize = 6;

/// How many blobs came which way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// They were there.
    pub there: usize,
    /// The registry took them from another of its repositories.
    pub mounted: usize,
    /// They were sent.
    pub sent: usize,
    /// The bytes of those that were sent.
    pub bytes: u64,
    /// How many manifests were written.
    pub named: usize,
}

impl Tally {
    /// Whether the registry was left as it was.
    pub fn is_nothing(&self) -> bool {
        self.mounted + self.sent + self.named == 0
    }

    fn add(&mut self, moved: Moved) {
        match moved {
            Moved::There => self.there += 1,
            Moved::Mounted => self.mounted += 1,
            Moved::Sent(bytes) => {
                self.sent += 1;
                self.bytes += bytes;
            }
        }
    }
}

/// A blob and the repository that it goes to.
pub(super) struct Job<'a> {
    pub(super) blob: Blob<'a>,
    pub(super) endpoint: &'a Endpoint,
    /// A repository of the same registry that has it.
    pub(super) from: Option<&'a str>,
}

/// Sends what the repositories lack, the largest first. After a failure, no new blob
/// begins. All failures are given.
pub(super) fn send(
    site: &Site,
    sessions: &Sessions,
    mut jobs: Vec<Job<'_>>,
    what: &str,
    quiet: bool,
) -> anyhow::Result<Tally> {
    if jobs.is_empty() {
        return Ok(Tally::default());
    }
    jobs.sort_by(|a, b| (b.blob.size, &a.blob.label).cmp(&(a.blob.size, &b.blob.label)));
    let progress = Progress::new(what, jobs.iter().map(|job| job.blob.size).sum(), quiet);
    let failed = AtomicBool::new(false);
    let tally = Mutex::new(Tally::default());
    let results = parallel::each(&jobs, TRANSFERS, |Job { blob, endpoint, from }| {
        if failed.load(Ordering::Relaxed) {
            return None;
        }
        let progress: &dyn Fn(u64) = &|count| progress.add(&blob.label, count);
        let moved = Upload { site, endpoint, from: *from, sessions, progress }.run(blob);
        match moved {
            Ok(moved) => {
                tally.lock().unwrap_or_else(PoisonError::into_inner).add(moved);
                None
            }
            Err(error) => {
                failed.store(true, Ordering::Relaxed);
                Some(format!("{error:#}"))
            }
        }
    });
    let mut errors: Vec<String> = results.into_iter().flatten().collect();
    errors.sort();
    errors.dedup();
    if !errors.is_empty() {
        bail!("{}", errors.join("\n"));
    }
    progress.finish();
    Ok(tally.into_inner().unwrap_or_else(PoisonError::into_inner))
}
