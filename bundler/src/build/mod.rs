//! From a lock to a bundle.

use std::io::{self, Read};
use std::path::PathBuf;

use anyhow::{Context, bail};
use bill::Bill;
use bundle_format::archive::writer;
use bundle_format::layout::Layout;
use bundle_format::lock::{Descriptor, Lock};
use pack::{Packed, pack};

use crate::fetch::cache::Cache;
use crate::lock::misfits;
use crate::spec::SpecFile;

mod agreement;
mod beside;
mod bill;
mod finished;
mod gather;
mod growing;
mod jobs;
mod local;
mod mirrors;
mod output;
mod pack;
mod packages;
mod parity;
mod patch;
mod task;
mod unfinished;

pub use output::Output;
pub(crate) use output::{sums_of, write_file};
pub(crate) use pack::of_cache;
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
    /// Whether it was written. Otherwise it was there, and every byte of it was right.
    pub is_new: bool,
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
/// name. If the same bundle is there already, it is only read.
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
    output.check_space(writer::size(&Layout::planned(lock, &[])?), beside)?;
    let bill = Bill::of(&tasks, &upstreams.cache);
    gather::gather(&tasks, &bill).context("fetching what the lock lists")?;
    let repodata = tasks.iter().map(packages::verify).collect::<anyhow::Result<Vec<_>>>();
    let mut made = repodata.context("checking the packages")?.concat();
    made.push(bill.make(task, writer::size(&Layout::planned(lock, &made)?))?);
    let layout = Layout::planned(lock, &made)?.without(lock, |digest| task.had.contains(&digest));
    let size = writer::size(&layout);
    output.check_parts(output.count(size)?)?;
    let (cache, quiet) = (&upstreams.cache, task.quiet);
    let there = finished::blobs(output, &layout, quiet)?;
    let is_new = there.is_none();
    let (blobs, files) = match there {
        Some(blobs) => (blobs, finished::keep(output, &layout, &installers, cache)?),
        None => {
            output.check_space(size, beside)?;
            let whole = output.count(size)? == 1;
            let own = layout.clone().with_lock(lock)?;
            let Packed { blobs, sum } =
                pack((cache, quiet), own, of_cache(cache), &mut unfinished, whole)?;
            let files = output.put(unfinished, sum, &installers, cache)?;
            finished::note(sum, &layout, cache);
            bill.keep(&layout);
            (blobs, files)
        }
    };
    let installers = installers.into_iter().map(|installer| installer.path).collect();
    Ok(Built { files, installers, size, blobs, absent: layout.absent, is_new })
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
    let whole = output.count(size)? == 1;
    let Packed { blobs, sum } = pack((cache, quiet), layout.clone(), open, &mut unfinished, whole)?;
    let files = output.put(unfinished, sum, &installers, cache)?;
    let installers = installers.into_iter().map(|installer| installer.path).collect();
    Ok(Built { files, installers, size, blobs, absent: Vec::new(), is_new: true })
}
