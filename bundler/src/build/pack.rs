//! Writes the archive, and reads all of it again before it gets its name.

use std::fs::{self, File};
use std::io::{self, Read};
use std::sync::mpsc;
use std::thread::{self, ScopedJoinHandle};

use anyhow::{Context, bail};
use bundle_format::Digest;
use bundle_format::archive::reader::Bundle;
use bundle_format::archive::{verify, writer};
use bundle_format::layout::Layout;
use bundle_format::lock::Descriptor;
use indicatif::HumanBytes;

use super::growing::Growing;
use super::unfinished::Unfinished;
use crate::fetch::cache::Cache;
use crate::progress::Progress;

/// A file that was written and read again.
pub(super) struct Packed {
    /// The number of its blobs.
    pub(super) blobs: usize,
    /// The digest of the whole file, if it stays in one piece.
    pub(super) sum: Option<Digest>,
}

/// Gives the blobs that are in the cache.
pub(crate) fn of_cache(cache: &Cache) -> impl Fn(&Descriptor) -> io::Result<File> {
    |blob| {
        cache.open(blob.digest, blob.size).ok_or_else(|| {
            io::Error::other(format!("the cache lost blob {}; run this again", blob.digest))
        })
    }
}

/// Writes the archive, and reads all of it again with the same reader as the installer.
/// `whole` says that the file is not going to be cut into parts.
pub(super) fn pack<R: Read>(
    (cache, quiet): (&Cache, bool),
    layout: Layout,
    open: impl FnMut(&Descriptor) -> io::Result<R>,
    unfinished: &mut Unfinished,
    whole: bool,
) -> anyhow::Result<Packed> {
    let size = writer::size(&layout);
    let progress = Progress::new("packing", size, quiet);
    let path = unfinished.path().to_owned();
    let out = unfinished.file();
    let writing = || format!("writing {}, of {}", path.display(), HumanBytes(size));
    let reading = || format!("reading {}", path.display());
    let (verification, sum) = thread::scope(|scope| {
        // One core hashes the file while it is written, because no second one can help with that.
        let (wrote, written) = mpsc::channel();
        let file = whole.then(|| File::open(&path)).transpose().with_context(reading)?;
        let sum =
            file.map(|file| scope.spawn(|| Digest::of_reader(&mut Growing::new(file, written))));
        let tell = |count| {
            progress.add("", count);
            // Nobody may listen.
            let _ = wrote.send(());
        };
        writer::write(out, &layout, open, tell).with_context(writing)?;
        drop(wrote);
        // It has the lock's bytes, and the reader below takes as much again.
        drop(layout);
        progress.finish();

        let bundle = Bundle::open_as_it_is(&path)?;
        let progress = Progress::new("verifying", size, quiet);
        let out = &*out;
        let synced = scope.spawn(|| out.sync_all());
        let verification = verify::verify(&bundle, |count| progress.add("", count));
        progress.finish();
        end_of(synced).with_context(writing)?;
        let sum = sum.map(end_of).transpose().with_context(reading)?;
        anyhow::Ok((verification, sum))
    })?;
    for problem in &verification.problems {
        // Otherwise the damaged blob in the cache would fail every build.
        drop(fs::remove_file(cache.path(problem.digest)));
    }
    if let Some(report) = verification.report() {
        bail!(
            "these were damaged in the cache, and were removed from it; run this \
             again:\n{report}"
        );
    }
    Ok(Packed { blobs: verification.blobs, sum: sum.map(|(digest, _)| digest) })
}

/// What the thread has to say. A thread that panicked has done nothing.
fn end_of<T>(thread: ScopedJoinHandle<'_, io::Result<T>>) -> io::Result<T> {
    thread.join().unwrap_or_else(|_| Err(io::Error::other("this program has a bug: report it")))
}
