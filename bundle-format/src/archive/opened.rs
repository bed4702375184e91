//! Opening an archive that may be damaged, with what lies beside it.

use std::path::Path;

use super::beside::Beside;
use super::error::BundleError;
use super::reader::Archive;
use super::repaired::Repaired;
use super::storage::Storage;

impl Archive {
    /// Opens the archive at `path`, repaired by the files beside it that were made for it. If
    /// `open` cannot use it, its index may be damaged. Then a file beside it counts if the
    /// bundle that it makes has all headers that are sound here. It also knows how long the
    /// bundle is, so that a part that is cut short or gone is as good as one with bad sectors.
    pub(super) fn repaired<T>(
        path: &Path,
        open: impl Fn(Self) -> Result<T, BundleError>,
    ) -> Result<T, BundleError> {
        let mut beside = Beside::all(path);
        let files = Storage::open(path).map_err(BundleError::from);
        let as_it_is = files.and_then(|files| Self::open(Repaired::plain(files)));
        let known = as_it_is.map(|archive| archive.repaired_by(&mut beside));
        let mut cures: Vec<_> = known.iter().filter_map(|one| one.blobs.storage.cure()).collect();
        let error = match known.and_then(&open) {
            Err(error) => error,
            opened => return opened,
        };
        for one in beside {
            let own = one.bundle;
            for files in Storage::with_holes(path, own.1).unwrap_or_default() {
                let storage = Repaired::plain(files).by(one.clone());
                cures.extend(storage.cure());
                if let Ok(archive) = Self::open(storage)
                    && archive.identity() == Some(own)
                    && !archive.blobs.has_other_headers()
                    && let Ok(opened) = open(archive)
                {
                    return Ok(opened);
                }
            }
        }
        match cures.iter().find_map(|cure| cure.failed()) {
            Some(parity) => Err(BundleError::TooMuch {
                path: path.to_owned(),
                parity: parity.to_owned(),
                damage: Box::new(error),
            }),
            None => Err(error),
        }
    }

    /// The same, repaired by the file that was made for it. That one is taken out of the list.
    fn repaired_by(mut self, beside: &mut Vec<Beside>) -> Self {
        if beside.is_empty() {
            return self;
        }
        let own = self.identity();
        if let Some(place) = beside.iter().position(|one| Some(one.bundle) == own) {
            self.blobs.storage = self.blobs.storage.by(beside.remove(place));
        }
        self
    }
}
