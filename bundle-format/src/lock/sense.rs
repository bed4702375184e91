//! Whether a lock makes sense in itself, without looking at anything else. A lock may
//! have been edited by hand, and a bundle's lock may come from a stranger: so the
//! time of these checks grows only with the lock's size, and its texts are cleaned
//! before they are shown.

mod hops;
mod images;
mod names;
mod packages;

use std::collections::HashMap;

use self::names::{is_name, no_password, unique};
use super::document::Lock;
use super::error::LockError;
use super::file::{FileKind, LockedFile};
use super::image::LockedImage;
use super::rpm::LockedRpm;
use crate::bounds::MAX_LOCK;
use crate::bundle_path::BundlePath;
use crate::digest::Digest;
use crate::document::walk;
use crate::problems::Problems;
use crate::text::brief;
use crate::{layout, portable_path};

/// Fields whose texts may have several lines, because they come from a spec or a
/// manifest.
const OF_LINES: [&str; 4] = ["from", "to", "reason", "warnings"];

/// Looks through a lock's bytes for what no lock has.
pub(super) fn look_through(bytes: &[u8]) -> Result<(), LockError> {
    if bytes.len() as u64 > MAX_LOCK {
        let words = format!("it has more than {MAX_LOCK} bytes, as no lock has");
        return Err(LockError::Senseless(vec![words]));
    }
    let mut problems = Problems::default();
    walk(bytes, |field, text| {
        let lines = OF_LINES.contains(&field);
        let bad = |c: char| c.is_control() && !(lines && matches!(c, '\n' | '\r' | '\t'));
        if text.contains(bad) {
            problems.add(|| {
                format!("its {} `{}` holds a control character", brief(field), brief(text))
            });
        }
    })
    .map_err(LockError::json)?;
    match problems.is_empty() {
        true => Ok(()),
        false => Err(LockError::Senseless(problems.lines())),
    }
}

impl Lock {
    /// All contradictions, and everything that no bundle may have. Empty if the
    /// lock makes sense.
    pub fn problems(&self) -> Vec<String> {
        let bytes = match layout::lock_bytes(self) {
            Ok(bytes) => bytes,
            Err(error) => return vec![error.to_string()],
        };
        match look_through(&bytes) {
            Ok(()) => self.contradictions(),
            Err(error) => vec![error.to_string()],
        }
    }

    /// The contradictions of a lock that has passed [`look_through`].
    pub(super) fn contradictions(&self) -> Vec<String> {
        let mut problems = Problems::default();
        if !is_name(&self.name) {
            problems.add(|| {
                format!(
                    "`{}` is not a valid name of a bundle: use lower-case letters, digits, \
 `.` and `-`",
                    brief(&self.name)
                )
            });
        }
        packages::check(self, &mut problems);
        images::check(self, &mut problems);
        self.files(&mut problems);
        hops::check(self, &mut problems);
        let conflicts = self.cluster.conflicts();
        conflicts.iter().for_each(|one| problems.add(|| format!("its cluster: {one}")));
        self.sizes(&mut problems);
        problems.lines()
    }

    fn files(&self, problems: &mut Problems) {
        unique("manifest", self.manifests.iter().map(|manifest| &manifest.name), problems);
        for manifest in &self.manifests {
            if !is_name(&manifest.name) {
                let name = brief(&manifest.name);
                problems.add(|| {
format!("`{name}` is not a valid name of a manifest: use lower-case letters, digits, \
 `.` and `-`")
});
            }
            no_password(&manifest.name, &manifest.source, problems);
        }
        for file in &self.files {
            let (kind, is_one) = match file.kind {
                FileKind::Key => ("a key", matches!(file.path, BundlePath::Key { .. })),
                FileKind::Installer => {
                    ("an installer", matches!(file.path, BundlePath::Installer { .. }))
                }
                FileKind::Chart => ("a chart", matches!(file.path, BundlePath::Chart { .. })),
            };
            if !is_one {
                let path = brief(&file.path.to_string());
                problems.add(|| format!("the file `{path}` is not in the folder for {kind}"));
            }
            no_password(&file.path, &file.source.to_string(), problems);
        }
        let contents = layout::contents(self, &[]);
        for error in contents.iter().filter_map(|file| file.path.portable().err()) {
            problems.add(|| error.to_string());
        }
        let paths: Vec<String> = contents.iter().map(|file| file.path.to_string()).collect();
        let paths = paths.iter().map(String::as_str);
        portable_path::clashes(paths, str::to_ascii_lowercase, problems);
    }

    /// A blob has one size, and the sum of all sizes is below what a disk can
    /// hold.
    fn sizes(&self, problems: &mut Problems) {
        let mut known: HashMap<Digest, u64> = HashMap::new();
        let mut sum = Some(0_u64);
        for (digest, size) in self.blobs() {
            sum = sum.and_then(|sum| sum.checked_add(size)).filter(|sum| *sum < 1 << 62);
            if known.insert(digest, size).is_some_and(|other| other != size) {
                problems.add(|| format!("the blob {digest} has two sizes"));
            }
        }
        if sum.is_none() {
            problems.add(|| "its sizes are more than any disk holds".to_owned());
        }
    }

    /// Each blob with its size. A blob that is named twice is given twice.
    fn blobs(&self) -> impl Iterator<Item = (Digest, u64)> {
        let hops = self.hops.iter().flat_map(|hop| blobs(&hop.images, &hop.rpms, &hop.files));
        let manifests = self.manifests.iter().flat_map(|manifest| {
            let passes = manifest.passes.iter().map(|pass| &pass.content);
            [&manifest.upstream, &manifest.applied].into_iter().chain(passes)
        });
        let manifests = manifests.map(|blob| (blob.digest, blob.size));
        blobs(&self.images, &self.rpms, &self.files).chain(manifests).chain(hops)
    }
}

/// The blobs of images, packages and files.
fn blobs<'a>(
    images: &'a [LockedImage],
    rpms: &'a [LockedRpm],
    files: &'a [LockedFile],
) -> impl Iterator<Item = (Digest, u64)> + 'a {
    let images = images.iter().flat_map(|image| {
        let platforms = image.platforms.iter().flat_map(|platform| {
            [&platform.manifest, &platform.config].into_iter().chain(&platform.layers)
        });
        std::iter::once(&image.root).chain(platforms).chain(&image.unplaced)
    });
    let files = files.iter().map(|file| &file.content);
    let described = images.chain(files).map(|blob| (blob.digest, blob.size));
    described.chain(rpms.iter().map(|rpm| (rpm.digest, rpm.size)))
}
