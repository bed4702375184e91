//! From a lock to a bundle.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::PathBuf;

use anyhow::{Context, bail};
use bundle_format::archive::reader::Bundle;
use bundle_format::archive::{verify, writer};
use bundle_format::layout::Layout;
use bundle_format::lock::{Descriptor, Lock};
use indicatif::HumanBytes;
use unfinished::Unfinished;

use crate::fetch::cache::Cache;
use crate::lock::misfits;
use crate::progress::Progress;
use crate::spec::SpecFile;

mod agreement;
mod beside;
mod bill;
mod gather;
mod jobs;
mod local;
mod mirrors;
mod output;
mod packages;
mod parity;
mod patch;
mod task;
mod unfinished;

pub use output::Output;
pub(crate) use output::{is_same_file, write_file};
pub use parity::{make_parity, parity_words, strange_parity};
pub use patch::make_patch;
pub use task::Task;

/// A finished bundle.
#[derive(Debug)]
pub struct Built {
    /// The files of the bundle: one, or its parts.
    pub files: Vec<PathBuf>,
    /// The paths of the installers beside it.
    pub installers: Vec<PathBuf>,
    /// The size of the bundle in bytes.
    pub size: u64,
    /// The number of blobs in it.
    pub blobs: usize,
    /// The blobs that a delta lacks.
    pub absent: Vec<Descriptor>,
}

/// Fails if local files differ from those that the lock was made from.
pub fn check_local_files(file: &SpecFile, lock: &Lock) -> anyhow::Result<()> {
    local::check(file, lock)?;
    of_hops(file, lock).iter().try_for_each(|(file, lock)| local::check(file, lock))
}

/// The spec and the lock of each hop.
fn of_hops(file: &SpecFile, lock: &Lock) -> Vec<(SpecFile, Lock)> {
    let hops = file.hops.iter().zip(&lock.hops);
    hops.map(|(own, hop)| (own.in_release(&hop.kubernetes), lock.of_hop(hop))).collect()
}

/// Makes the bundle at `output`. Everything is fetched into the cache, checked,
/// packed under a temporary name, and read again. Only then does the bundle get its
/// name.
pub fn build(task: &Task<'_>, output: &Output) -> anyhow::Result<Built> {
    let Task { file, lock, upstreams, .. } = *task;
    let misfits = misfits(file, lock);
    if !misfits.is_empty() {
        bail!(
            "the lock does not fit {}: run `bundler lock`\n{}",
            file.path.display(),
            misfits.join("\n")
        );
    }
    check_local_files(file, lock)?;
    let hops = of_hops(file, lock);
    let tasks: Vec<Task<'_>> = std::iter::once(*task)
        .chain(hops.iter().map(|(file, lock)| Task { file, lock, ..*task }))
        .collect();
    let installers = beside::installers(lock, &output.path, &upstreams.cache)?;
    let others = installers.iter().filter(|installer| !installer.has_its_bytes());
    let mut written = vec![output.path.clone(), output.sidecar()];
    written.extend(others.map(|installer| installer.path.clone()));
    for task in &tasks {
        local::check_places(task, &written)?;
    }
    let beside = installers.iter().map(|installer| installer.content.size).sum();
    let mut unfinished = output.begin()?;
    // The room on the disk is checked before gigabytes are fetched. The repodata
    // is not known yet, but it is small.
    output.check_space(writer::size(&Layout::new(lock, &[])?), beside)?;
    gather::gather(&tasks).context("fetching what the lock lists")?;
    let repodata = tasks.iter().map(packages::verify).collect::<anyhow::Result<Vec<_>>>();
    let mut made = repodata.context("checking the packages")?.concat();
    made.push(bill::make(task, writer::size(&Layout::new(lock, &made)?))?);
    let layout = Layout::new(lock, &made)?.without(lock, |digest| task.had.contains(&digest));
    let size = writer::size(&layout);
    output.check_parts(output.count(size)?)?;
    output.check_space(size, beside)?;
    let (cache, quiet) = (&upstreams.cache, task.quiet);
    let blobs = pack((cache, quiet), &layout, of_cache(cache), &mut unfinished)?;
    let files = output.put(unfinished, &installers, cache)?;
    let installers = installers.into_iter().map(|installer| installer.path).collect();
    Ok(Built { files, installers, size, blobs, absent: layout.absent })
}

/// Makes a bundle that was built elsewhere: the one of `lock`, whose layout is `layout`.
/// `fetch` brings what is missing into the cache, which must have the installers then, and
/// `open` gives each blob. As in a build, the bundle gets its name when all of it was read
/// again.
pub fn put_together<R: Read>(
    lock: &Lock,
    layout: &Layout,
    output: &Output,
    (cache, quiet): (&Cache, bool),
    fetch: impl FnOnce() -> anyhow::Result<()>,
    open: impl FnMut(&Descriptor) -> io::Result<R>,
) -> anyhow::Result<Built> {
    let installers = beside::installers(lock, &output.path, cache)?;
    let beside = installers.iter().map(|installer| installer.content.size).sum();
    let mut unfinished = output.begin()?;
    let size = writer::size(layout);
    output.check_parts(output.count(size)?)?;
    output.check_space(size, beside)?;
    fetch()?;
    let blobs = pack((cache, quiet), layout, open, &mut unfinished)?;
    let files = output.put(unfinished, &installers, cache)?;
    let installers = installers.into_iter().map(|installer| installer.path).collect();
    Ok(Built { files, installers, size, blobs, absent: Vec::new() })
}

/// Gives the blobs that are in the cache.
pub(crate) fn of_cache(cache: &Cache) -> impl Fn(&Descriptor) -> io::Result<File> {
    |blob| {
        cache.open(blob.digest, blob.size).ok_or_else(|| {
            io::Error::other(format!("the cache lost blob {}; run this again", blob.digest))
        })
    }
}

/// Writes the archive, and reads all of it again with the same reader as the
/// installer.
fn pack<R: Read>(
    (cache, quiet): (&Cache, bool),
    layout: &Layout,
    open: impl FnMut(&Descriptor) -> io::Result<R>,
    unfinished: &mut Unfinished,
) -> anyhow::Result<usize> {
    let size = writer::size(layout);
    let progress = Progress::new("packing", size, quiet);
    let path = unfinished.path().to_owned();
    let out = unfinished.file();
    writer::write(out, layout, open, |count| progress.add("", count))
        .and_then(|()| out.sync_all())
        .with_context(|| format!("writing {}, of {}", path.display(), HumanBytes(size)))?;
    progress.finish();

    let bundle = Bundle::open(&path)?;
    let progress = Progress::new("verifying", size, quiet);
    let verification = verify::verify(&bundle, |count| progress.add("", count));
    progress.finish();
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
    Ok(verification.blobs)
}
