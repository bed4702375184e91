//! The software bill of materials, which goes into the bundle with all that it lists.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

use anyhow::{Context, bail};
use bundle_format::bounds::MAX_SBOM;
use bundle_format::layout::{Content, Layout, SBOM_TYPE};
use bundle_format::lock::Descriptor;
use bundle_format::{BundlePath, Digest, input};
use indicatif::HumanBytes;

use super::task::Task;
use crate::fetch::cache::Cache;
use crate::progress::Progress;
use crate::sbom::{self, Layers};

/// The smallest layer whose findings are kept, in bytes. A smaller one is read as fast as
/// its note.
const LEAST_NOTED: u64 = 1 << 20;
/// The largest note, in bytes: what a layer may have, as JSON.
const MOST_NOTE: u64 = 256 << 20;

/// What is known of the layers of a bundle before its bill is made.
pub(super) struct Bill<'a> {
    /// The layers of all releases.
    blobs: HashMap<Digest, &'a Descriptor>,
    layers: Layers,
    cache: &'a Cache,
    /// Where the notes of this program are.
    notes: Option<PathBuf>,
    /// The layers that are not in a note yet.
    unnoted: Vec<Digest>,
}

impl<'a> Bill<'a> {
    /// Takes what earlier builds noted of the layers of these tasks.
    pub(super) fn of(tasks: &[Task<'a>], cache: &'a Cache) -> Self {
        let images = tasks.iter().flat_map(|task| &task.lock.images);
        let layers = images.flat_map(|image| &image.platforms).flat_map(|one| &one.layers);
        let blobs: HashMap<Digest, &Descriptor> = layers.map(|blob| (blob.digest, blob)).collect();
        let mut large: Vec<Digest> = blobs
            .values()
            .filter(|blob| blob.size >= LEAST_NOTED)
            .map(|blob| blob.digest)
            .collect();
        // Another program may find something else in the same layer.
        let notes = if large.is_empty() { None } else { program() };
        let notes = notes.map(|program| cache.folder().join("layers").join(program.hex()));
        let known = Layers::default();
        if let Some(notes) = &notes {
            for digest in &large {
                let note = input::file(&notes.join(digest.hex()), MOST_NOTE);
                if let Some(note) = note.ok().as_deref().and_then(unsealed) {
                    known.take_note(*digest, note);
                }
            }
        }
        large.retain(|digest| !known.has(*digest));
        Self { blobs, layers: known, cache, notes, unnoted: large }
    }

    /// Runs `work`, and reads each layer that it names.
    pub(super) fn read_meanwhile<T>(&self, work: impl FnOnce(&(dyn Fn(Digest) + Sync)) -> T) -> T {
        let (send, receive) = mpsc::channel();
        let (send, receive) = (Mutex::new(send), Mutex::new(receive));
        thread::scope(|scope| {
            for _ in 0..Layers::readers() {
                scope.spawn(|| {
                    while let Ok(blob) =
                        { receive.lock().unwrap_or_else(PoisonError::into_inner).recv() }
                    {
                        // What cannot be read is an error when the bill is made.
                        drop(self.layers.read(blob, &|blob| self.open(blob, |_| ())));
                    }
                });
            }
            let done = |digest: Digest| {
                if let Some(blob) = self.blobs.get(&digest) {
                    let send = send.lock().unwrap_or_else(PoisonError::into_inner);
                    // The readers wait until `send` is gone.
                    send.send(*blob).ok();
                }
            };
            let result = work(&done);
            drop(send);
            result
        })
    }

    /// Makes it from the lock and the cache, where its bytes are then too.
    pub(super) fn make(&self, task: &Task<'_>, size: u64) -> anyhow::Result<Content> {
        let Task { lock, upstreams, quiet, .. } = *task;
        let progress = Progress::new("listing", size, quiet);
        let open = |blob: &Descriptor| self.open(blob, |count| progress.add("", count));
        let bytes = sbom::document(lock, &open, &self.layers);
        let bytes = bytes.context("listing what is in the bundle")?;
        // Packing needs the memory: there may be very many small layers.
        self.layers.keep_only(&self.unnoted);
        progress.finish();
        if bytes.len() as u64 > MAX_SBOM {
            bail!(
                "the list of what is in the bundle would have {}: make several bundles of this \
                 spec",
                HumanBytes(bytes.len() as u64)
            );
        }
        let descriptor = upstreams.keep(SBOM_TYPE, &bytes)?;
        Ok(Content { path: BundlePath::Sbom, descriptor })
    }

    /// Notes what was found in the layers of `packed`, for later builds. Only when the packed
    /// bundle was verified is it sure that they were read from the right bytes. Without a note,
    /// a layer is read again, so a full disk is no error.
    pub(super) fn keep(&self, packed: &Layout) {
        let Some(notes) = &self.notes else { return };
        let packed: HashSet<Digest> = packed.blobs.iter().map(|blob| blob.digest).collect();
        for digest in self.unnoted.iter().filter(|layer| packed.contains(layer)) {
            if let Some(note) = self.layers.note(*digest) {
                drop(self.cache.note(&notes.join(digest.hex()), &sealed(&note)));
            }
        }
    }

    fn open<'b>(
        &'b self,
        blob: &Descriptor,
        progress: impl Fn(u64) + 'b,
    ) -> anyhow::Result<Box<dyn Read + 'b>> {
        let file = self.cache.open(blob.digest, blob.size);
        let file = file
            .with_context(|| format!("the cache lost blob {}; run the build again", blob.digest))?;
        Ok(Box::new(Counted { reader: file, progress }))
    }
}

/// The digest of this program's own file.
fn program() -> Option<Digest> {
    let mut file = File::open("/proc/self/exe").ok()?;
    Some(Digest::of_reader(&mut file).ok()?.0)
}

/// A note behind its digest, because nothing else would find damage in it.
fn sealed(note: &[u8]) -> Vec<u8> {
    [Digest::of(note).hex().as_bytes(), note].concat()
}

fn unsealed(bytes: &[u8]) -> Option<&[u8]> {
    let (digest, note) = bytes.split_at_checked(64)?;
    (Digest::of(note).hex().as_bytes() == digest).then_some(note)
}

/// A reader whose bytes count as progress.
struct Counted<R, P> {
    reader: R,
    progress: P,
}

impl<R: Read, P: Fn(u64)> Read for Counted<R, P> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        (self.progress)(count as u64);
        Ok(count)
    }
}
