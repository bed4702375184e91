//! Checking every byte of a bundle, on all cores.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::listed::{images, listed};
use super::reader::Bundle;
use crate::bounds::MAX_PROBLEMS;
use crate::digest::Digest;
use crate::image::disagreements;
use crate::lock::Descriptor;
use crate::sbom;
use crate::text::count;

/// What [`verify`] found.
#[derive(Debug, Default)]
pub struct Verification {
    /// How many blobs were read.
    pub blobs: usize,
    /// How many bytes were read.
    pub bytes: u64,
    /// What a delta lacks, in bundles that were named with it too. It was not read.
    pub lacking: Vec<Lacking>,
    /// All bad blobs. Empty for a good bundle.
    pub problems: Vec<Problem>,
    /// The contradictions between the lock and what it lists: the images' own documents, and
    /// the bill of materials. Empty for a good bundle.
    pub disagreements: Vec<String>,
}

/// A blob that a delta lacks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lacking {
    /// What the blob is: a file's title or an image's name.
    pub subject: String,
    /// The blob.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

impl fmt::Display for Lacking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, {} bytes)", self.subject, self.digest, self.size)
    }
}

/// A bad blob of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The blob.
    pub digest: Digest,
    /// What the blob is: a file's title or an image's name.
    pub subject: String,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.subject, self.digest, self.what)
    }
}

impl Verification {
    /// All that is wrong, for people. `None` for a good bundle.
    pub fn report(&self) -> Option<String> {
        let mut texts = Vec::new();
        if !self.problems.is_empty() {
            texts.push(format!(
                "{} of {} {}; do not use this bundle:\n{}",
                self.problems.len(),
                count(self.blobs, "blob"),
                match self.problems.len() {
                    1 => "is not what it should be",
                    _ => "are not what they should be",
                },
                lines(&self.problems)
            ));
        }
        if !self.disagreements.is_empty() {
            texts.push(format!(
                "the lock and what is in the bundle do not agree; do not use this bundle:\n{}",
                lines(&self.disagreements)
            ));
        }
        (!texts.is_empty()).then(|| texts.join("\n"))
    }

    /// What the bundle lacks, for people. `None` for a bundle that is whole.
    pub fn lack(&self) -> Option<String> {
        if self.lacking.is_empty() {
            return None;
        }
        let (blobs, all) = (count(self.lacking.len(), "blob"), lines(&self.lacking));
        Some(format!(
            "it is a delta, which lacks {blobs}; they are needed where it is used:\n{all}"
        ))
    }
}

/// The first [`MAX_PROBLEMS`] entries, one on each line, and the number of the
/// others.
pub fn lines(all: &[impl fmt::Display]) -> String {
    let mut lines: Vec<String> = all.iter().take(MAX_PROBLEMS).map(ToString::to_string).collect();
    if let Some(more @ 1..) = all.len().checked_sub(MAX_PROBLEMS) {
        lines.push(format!("and {more} more"));
    }
    lines.join("\n")
}

/// Reads every blob that the bundle lists, and compares it with its digest. Reports
/// blobs that nothing lists. Follows each image by its own documents, from its root
/// to its layers, and compares them with the lock. The bill of materials must be this
/// bundle's. `progress` is called with numbers
/// of bytes as they are read.
pub fn verify(bundle: &Bundle, progress: impl Fn(u64) + Sync) -> Verification {
    let lacking = lacking(bundle);
    let mut listed = listed(bundle);
    listed.retain(|(digest, _), _| !bundle.lacks(*digest));
    let bytes = AtomicU64::new(0);
    let mut queue: Vec<(&Descriptor, &str)> =
        listed.values().map(|(blob, subject)| (*blob, &**subject)).collect();
    let blobs = queue.chunk_by(|(one, _), (next, _)| one.digest == next.digest).count();
    // The largest first, so that no core is alone with a large blob at the end.
    queue.sort_by_key(|(blob, _)| u64::MAX - blob.size);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let results = results(bundle, &queue, workers, |count| {
        bytes.fetch_add(count, Ordering::Relaxed);
        progress(count);
    });
    let mut problems = Vec::new();
    for ((blob, subject), result) in queue.iter().zip(results) {
        let lost = || Err("it could not be checked; run this again".to_owned());
        if let Err(what) = result.into_inner().unwrap_or_else(lost) {
            problems.push(Problem { digest: blob.digest, subject: (*subject).to_owned(), what });
        }
    }
    for digest in bundle.digests() {
        if listed.range((digest, 0)..=(digest, u64::MAX)).next().is_none() {
            let what = "nothing in the bundle lists it".to_owned();
            problems.push(Problem { digest, subject: "a blob".to_owned(), what });
        }
    }
    problems.sort_by(|a, b| (&a.subject, a.digest).cmp(&(&b.subject, b.digest)));
    let read = |blob: &Descriptor| bundle.image_document(blob).map_err(|error| error.of_blob());
    let mut disagreements: Vec<String> =
        images(bundle).flat_map(|image| disagreements(image, read)).collect();
    let damaged: BTreeSet<Digest> = problems.iter().map(|problem| problem.digest).collect();
    if let Some(bill) = bundle.sbom().filter(|bill| !damaged.contains(&bill.descriptor.digest))
        && let Err(what) = check_bill(bundle, &bill.descriptor)
    {
        disagreements.push(format!("{}: {what}", bill.path));
    }
    Verification { blobs, lacking, bytes: bytes.into_inner(), problems, disagreements }
}

/// The blobs that a delta lacks, each once, with what they are.
pub fn lacking(bundle: &Bundle) -> Vec<Lacking> {
    let listed = listed(bundle);
    let lacking = listed.iter().filter(|((digest, _), _)| bundle.lacks(*digest));
    let mut lacking: Vec<Lacking> = lacking
        .map(|(&(digest, size), (_, subject))| {
            let subject = subject.to_string();
            Lacking { subject, digest, size }
        })
        .collect();
    lacking.sort();
    lacking
}

/// The result for each blob of `queue`, in its order. If a thread panicked, its blob has none,
/// so it does not count as good.
fn results(
    bundle: &Bundle,
    queue: &[(&Descriptor, &str)],
    workers: usize,
    progress: impl Fn(u64) + Sync,
) -> Vec<OnceLock<Result<(), String>>> {
    let results: Vec<_> = queue.iter().map(|_| OnceLock::new()).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(((blob, _), result)) = {
            let turn = next.fetch_add(1, Ordering::Relaxed);
            queue.get(turn).zip(results.get(turn))
        } {
            result.get_or_init(|| check(bundle, blob, &progress));
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        threads.into_iter().for_each(|thread| drop(thread.join()));
    });
    results
}

fn check(bundle: &Bundle, descriptor: &Descriptor, progress: impl Fn(u64)) -> Result<(), String> {
    let reader = bundle.open_unnamed(descriptor).map_err(|error| error.of_blob())?;
    reader.check(progress).map_err(|error| {
        let parts = bundle.parts_of(descriptor.digest);
        match parts.is_empty() {
            true => error.to_string(),
            false => format!("{error}; it is in {}", parts.join(", ")),
        }
    })
}

fn check_bill(bundle: &Bundle, bill: &Descriptor) -> Result<(), String> {
    let reader = bundle.open_unnamed(bill).map_err(|error| error.of_blob())?;
    sbom::check(reader, bundle.lock_digest())
}
