//! Checking every byte of a bundle, on all cores.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};

use super::reader::Bundle;
use crate::digest::Digest;
use crate::image::disagreements;
use crate::lock::Descriptor;

/// How many damaged blobs are named.
const MOST_LINES: usize = 100;

/// What [`verify`] found.
#[derive(Debug, Default)]
pub struct Verification {
    /// How many blobs were read.
    pub blobs: usize,
    /// How many bytes they have.
    pub bytes: u64,
    /// All blobs that are wrong; empty for a good bundle.
    pub problems: Vec<Problem>,
    /// Where the lock and the images' own documents differ; empty for a good
    /// bundle.
    pub disagreements: Vec<String>,
}

/// Something that is wrong with a bundle.
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
    /// All that is wrong, for people; none for a good bundle.
    pub fn report(&self) -> Option<String> {
        let mut texts = Vec::new();
        if !self.problems.is_empty() {
            let mut lines: Vec<String> =
                self.problems.iter().take(MOST_LINES).map(Problem::to_string).collect();
            if self.problems.len() > MOST_LINES {
                lines.push(format!("and {} more", self.problems.len() - MOST_LINES));
            }
            texts.push(format!(
                "{} of {} blobs {}; do not use this bundle:\n{}",
                self.problems.len(),
                self.blobs,
                match self.problems.len() {
                    1 => "is not what it should be",
                    _ => "are not what they should be",
                },
                lines.join("\n")
            ));
        }
        if !self.disagreements.is_empty() {
            texts.push(format!(
                "the lock tells other things than the images; do not use this bundle:\n{}",
                self.disagreements.join("\n")
            ));
        }
        (!texts.is_empty()).then(|| texts.join("\n"))
    }
}

/// Reads every blob that the bundle lists and compares it with its digest; tells
/// of blobs that nothing lists; and follows each image by its own documents, from
/// its root to its layers, which must be those of the lock. `progress` hears of bytes as they are read.
pub fn verify(bundle: &Bundle, progress: impl Fn(u64) + Sync) -> Verification {
    let listed = listed(bundle);
    let bytes = AtomicU64::new(0);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let (send, receive) = crossbeam_channel::unbounded();
    // The largest first, so that no core is left with one at the end.
    let mut queue: Vec<_> = listed.iter().collect();
    queue.sort_by_key(|((_, size), _)| std::cmp::Reverse(*size));
    for item in queue {
        // The receiver lives as long as this function, so nothing is refused.
        if send.send(item).is_err() {
            break;
        }
    }
    drop(send);
    let mut problems: Vec<Problem> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers)
            .map(|_| {
                scope.spawn(|| {
                    let mut problems = Vec::new();
                    for ((digest, _), (descriptor, subject)) in &receive {
                        let result = check(bundle, descriptor, |count| {
                            bytes.fetch_add(count, Ordering::Relaxed);
                            progress(count);
                        });
                        if let Err(what) = result {
                            let (digest, subject) = (*digest, subject.clone());
                            problems.push(Problem { digest, subject, what });
                        }
                    }
                    problems
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    });
    let digests: BTreeSet<Digest> = listed.keys().map(|(digest, _)| *digest).collect();
    for digest in bundle.digests() {
        if !digests.contains(&digest) {
            let what = "nothing in the bundle lists it".to_owned();
            problems.push(Problem { digest, subject: "a blob".to_owned(), what });
        }
    }
    problems.sort_by(|a, b| (&a.subject, a.digest).cmp(&(&b.subject, b.digest)));
    let images = bundle.lock().images.iter();
    let disagreements =
        images.flat_map(|image| disagreements(image, |blob| bundle.read(blob).ok())).collect();
    Verification { blobs: digests.len(), bytes: bytes.into_inner(), problems, disagreements }
}

fn check(bundle: &Bundle, descriptor: &Descriptor, progress: impl Fn(u64)) -> Result<(), String> {
    let mut reader =
        bundle.open_blob(descriptor).map_err(|error| match std::error::Error::source(&error) {
            Some(source) => source.to_string(),
            None => "it is missing".to_owned(),
        })?;
    let mut buffer = vec![0; 256 << 10];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => progress(count as u64),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                let parts = bundle.parts_of(descriptor.digest);
                let place = match parts.is_empty() {
                    true => String::new(),
                    false => format!("; it lies in {}", parts.join(", ")),
                };
                return Err(format!("{error}{place}"));
            }
        }
    }
}

/// Every blob that the index, the bundle manifest or the lock names, with the
/// words for what it is. One that is named with two sizes stands there twice:
/// one of them must be wrong.
fn listed(bundle: &Bundle) -> BTreeMap<(Digest, u64), (Descriptor, String)> {
    let mut listed = BTreeMap::new();
    let mut add = |descriptor: &Descriptor, subject: &str| {
        listed
            .entry((descriptor.digest, descriptor.size))
            .or_insert_with(|| (descriptor.clone(), subject.to_owned()));
    };
    for content in bundle.contents() {
        add(&content.descriptor, &content.title);
    }
    for image in &bundle.lock().images {
        let name = image.name.to_string();
        for document in std::iter::once(&image.root).chain(&image.unplaced) {
            add(document, &name);
        }
        for platform in &image.platforms {
            add(&platform.manifest, &name);
            add(&platform.config, &name);
            for layer in &platform.layers {
                add(layer, &name);
            }
        }
    }
    for descriptor in bundle.index() {
        add(descriptor, "the index");
    }
    add(bundle.lock_blob(), "the lock");
    listed
}
