//! What a bundle is by its documents, wherever these are: in an archive, or in a registry.

use std::collections::HashSet;

use super::documents::{described, parse};
use super::error::BundleError;
use crate::bounds::{MAX_LOCK, MAX_MANIFEST};
use crate::bundle_path::BundlePath;
use crate::layout::{self, Content, LOCK_TYPE, Layout, TITLE};
use crate::lock::{Descriptor, Lock};
use crate::oci::{Document, Entry};
use crate::portable_path::{self, PathError};
use crate::problems::Problems;
use crate::text::brief;

/// A bundle by its documents.
pub struct Outline {
    /// Its lock.
    pub lock: Lock,
    /// The lock's blob.
    pub lock_blob: Descriptor,
    /// The files that do not belong to images, in the archive's order.
    pub contents: Vec<Content>,
    /// The plan of the archive, made from the lock. The caller compares its index with the one
    /// that was read. It has no documents.
    pub layout: Layout,
}

impl Outline {
    /// Reads the documents that the bundle manifest leads to. `read` gives the verified bytes
    /// of a blob, which are at most so many. None if the manifest holds no lock.
    pub fn read<E: From<BundleError>>(
        manifest: &Descriptor,
        mut read: impl FnMut(&'static str, &Descriptor, u64) -> Result<Vec<u8>, E>,
    ) -> Result<Option<Self>, E> {
        let manifest: Document = parse("manifest", &read("manifest", manifest, MAX_MANIFEST)?)?;
        let is_lock = |config: &&Entry| config.media_type == LOCK_TYPE;
        let Some(lock_entry) = manifest.config.as_ref().filter(is_lock) else { return Ok(None) };
        let lock_blob = described("manifest", lock_entry)?;
        let lock = Lock::parse(read("lock", &lock_blob, MAX_LOCK)?).map_err(BundleError::from)?;
        let contents = contents(manifest, &lock)?;
        let layout = layout::describe_lock(&lock)
            .and_then(|lock_blob| layout_of(&lock, &lock_blob, &contents))
            .map_err(of_lock)?;
        let layout = Layout { documents: Vec::new(), ..layout };
        Ok(Some(Self { lock, lock_blob, contents, layout }))
    }
}

/// The layout of a bundle with this lock and these files.
pub(super) fn layout_of(
    lock: &Lock,
    lock_blob: &Descriptor,
    contents: &[Content],
) -> Result<Layout, serde_json::Error> {
    let made = contents.iter().filter(|file| layout::is_made(lock, &file.path));
    let made: Vec<Content> = made.cloned().collect();
    Layout::around(lock, lock_blob, &made)
}

/// The error of a lock of which no layout can be written.
pub(super) fn of_lock(error: serde_json::Error) -> BundleError {
    BundleError::Document { document: "lock", reason: error.to_string() }
}

/// The files that the bundle manifest lists. Fails if nodes could not use them.
fn contents(manifest: Document, lock: &Lock) -> Result<Vec<Content>, BundleError> {
    let mut problems = Problems::default();
    let mut contents = Vec::new();
    for layer in manifest.layers.unwrap_or_default() {
        let descriptor = described("manifest", &layer)?;
        let title = layer.annotations.and_then(|mut all| all.remove(TITLE)).unwrap_or_default();
        match title.parse() {
            Ok(path) => contents.push(Content { path, descriptor }),
            Err(error) => problems.add(|| PathError::to_string(&error)),
        }
    }
    let paths: Vec<String> = contents.iter().map(|file| file.path.to_string()).collect();
    let paths = || paths.iter().map(String::as_str);
    portable_path::clashes(paths(), str::to_ascii_lowercase, &mut problems);
    let known: HashSet<&str> = paths().collect();
    let own = lock.targets.iter().map(|target| BundlePath::repomd(&target.id));
    let of_hops = lock.hops.iter().flat_map(|hop| {
        let all = hop.targets.iter().map(|target| BundlePath::repomd(&target.id));
        all.map(|path| path.of_hop(&hop.kubernetes))
    });
    for repomd in own.chain(of_hops) {
        let repomd = repomd.to_string();
        if !known.contains(repomd.as_str()) {
            problems.add(|| format!("{} is not there", brief(&repomd)));
        }
    }
    match problems.is_empty() {
        true => Ok(contents),
        false => {
            Err(BundleError::Document { document: "manifest", reason: problems.lines().join("\n") })
        }
    }
}
