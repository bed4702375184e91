//! The layers of images. Each is read once, whichever images have it, as a stream.

mod archive;
mod layer;

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;

use bundle_format::Digest;
use bundle_format::lock::{Descriptor, LockedPlatform};
use bundle_format::parallel;

pub(super) use layer::Layer;

use super::content::{Open, whole};

/// How many layers are read at a time.
const MOST_READERS: usize = 4;

/// What layers say is installed, of those that were read.
#[derive(Debug, Default)]
pub struct Layers(Mutex<HashMap<Digest, Layer>>);

impl Layers {
    /// How many layers should be read at a time: each holds a database in memory, so not as
    /// many as there are processors.
    pub fn readers() -> usize {
        available_parallelism().map_or(1, usize::from).min(MOST_READERS)
    }

    /// Reads a layer, if that was not done yet.
    pub fn read(&self, blob: &Descriptor, open: &Open<'_>) -> anyhow::Result<()> {
        if !self.has(blob.digest) {
            let layer = whole(open, blob, archive::read)?;
            self.all().insert(blob.digest, layer);
        }
        Ok(())
    }

    /// Whether a layer was read.
    pub fn has(&self, layer: Digest) -> bool {
        self.all().contains_key(&layer)
    }

    /// What a layer says, for [`Self::take_note`] of the same program.
    pub fn note(&self, layer: Digest) -> Option<Vec<u8>> {
        serde_json::to_vec(self.all().get(&layer)?).ok()
    }

    /// Forgets all layers but these.
    pub fn keep_only(&self, layers: &[Digest]) {
        let wanted: HashSet<&Digest> = layers.iter().collect();
        let mut all = self.all();
        all.retain(|layer, _| wanted.contains(layer));
        all.shrink_to_fit();
    }

    /// Takes what was noted of a layer. A note that makes no sense does not count.
    pub fn take_note(&self, layer: Digest, note: &[u8]) {
        if let Ok(read) = serde_json::from_slice(note) {
            self.all().insert(layer, read);
        }
    }

    /// Reads all layers of these images that were not read yet.
    pub(super) fn complete<'a>(
        &self,
        platforms: impl Iterator<Item = &'a LockedPlatform>,
        open: &Open<'_>,
    ) -> anyhow::Result<()> {
        let by_digest: HashMap<Digest, &Descriptor> =
            platforms.flat_map(|platform| &platform.layers).map(|one| (one.digest, one)).collect();
        let mut blobs: Vec<&Descriptor> = by_digest.into_values().collect();
        // The largest first, so that no processor waits for it at the end.
        blobs.sort_by_key(|blob| (std::cmp::Reverse(blob.size), blob.digest));
        let read = parallel::each(&blobs, Self::readers(), |blob| self.read(blob, open));
        read.into_iter().collect()
    }

    /// All that were read.
    pub(super) fn all(&self) -> MutexGuard<'_, HashMap<Digest, Layer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_says_all_that_the_layer_says_and_nonsense_does_not_count() {
        let mut archive = tar::Builder::new(Vec::new());
        let status = "Package: bash\nStatus: install ok installed\nVersion: 5.2\n\n";
        for (path, text) in [
            ("etc/os-release", "ID=debian\nVERSION_ID=12\n"),
            ("var/lib/dpkg/status", status),
            ("lib/apk/db/installed", "\u{1}"),
            ("opt/.wh..wh..opq", ""),
            ("srv/file", ""),
        ] {
            let mut header = tar::Header::new_ustar();
            header.set_size(text.len() as u64);
            archive.append_data(&mut header, path, text.as_bytes()).unwrap();
        }
        let bytes = archive.into_inner().unwrap();
        let digest = Digest::of(&bytes);
        let blob = Descriptor { media_type: "".into(), digest, size: bytes.len() as u64 };
        let open = |_: &Descriptor| -> anyhow::Result<Box<dyn std::io::Read>> {
            Ok(Box::new(std::io::Cursor::new(bytes.clone())))
        };
        let (first, second) = (Layers::default(), Layers::default());
        first.read(&blob, &open).unwrap();
        let note = first.note(digest).unwrap();
        second.take_note(digest, note.get(1..).unwrap());
        assert!(!second.has(digest));
        second.take_note(digest, &note);
        let (first, second) = (first.all().remove(&digest), second.all().remove(&digest));
        assert_eq!(first.as_ref().unwrap().found.len(), 3);
        assert_eq!(format!("{first:?}"), format!("{second:?}"));
    }
}
