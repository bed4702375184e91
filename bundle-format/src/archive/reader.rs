//! Reading a bundle. Nothing in the file is trusted: names, sizes and documents are
//! checked before they are used.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::Path;

use super::absent::Absent;
use super::blobs::{Blobs, read_all};
use super::documents::{bundle_manifest, document, parse};
use super::entries::{self, Entries, Own, Place};
use super::error::BundleError;
use super::others::Others;
use super::outline::{Outline, layout_of, of_lock};
use super::repaired::{Repaired, Repairs};
use super::storage::Storage;
use crate::bounds::{MAX_ABSENT, MAX_IMAGE_DOCUMENT, MAX_INDEX};
use crate::bundle_path::BundlePath;
use crate::digest::Digest;
use crate::layout::{self, Content, Layout};
use crate::lock::{Descriptor, Lock, LockedHop, LockedImage};
use crate::signature::{self, Signed, TrustedKeys};
use crate::version::KubernetesVersion;

/// An open bundle, whose index, bundle manifest and lock have been read.
#[derive(Debug)]
pub struct Bundle {
    pub(super) blobs: Blobs,
    /// The sizes of the blobs that it lacks, if it is a delta.
    pub(super) absent: HashMap<Digest, u64>,
    /// The bundles that have some of the blobs that it lacks.
    pub(super) others: Others,
    manifest_blob: Descriptor,
    identity: Digest,
    signed: Option<Signed>,
    lock_blob: Descriptor,
    /// The bundle as a whole, which is its last release.
    whole: Release,
    /// The hop that is meant; none for the last release.
    hop: Option<Release>,
}

/// A release of Kubernetes in a bundle.
#[derive(Debug)]
struct Release {
    lock: Lock,
    contents: Vec<Content>,
    index: Vec<u8>,
}

impl Release {
    /// One of the hops of a bundle that has the files `contents`. Its index is that of a
    /// bundle that would hold only this release.
    fn of_hop(lock: &Lock, hop: &LockedHop, contents: &[Content]) -> serde_json::Result<Self> {
        let (lock, contents) = (lock.of_hop(hop), layout::of_release(contents, Some(hop)));
        let layout = layout_of(&lock, &layout::describe_lock(&lock)?, &contents)?;
        Ok(Self { index: layout.index, lock, contents })
    }
}

/// An archive whose entries have been read. Their contents are still unknown.
pub(super) struct Archive {
    own: HashMap<Own, Place>,
    pub(super) blobs: Blobs,
}

impl Bundle {
    /// Opens the bundle at `path`, which is one file or a part of it (see
    /// [`Storage::open`]).
    pub fn open(path: &Path) -> Result<Self, BundleError> {
        Self::open_trusted(path, &TrustedKeys::default())
    }

    /// The same, for a bundle that one of `keys` must have signed. The signature is checked
    /// before any document of the bundle is parsed. Without keys, no signature is needed.
    ///
    /// Bytes that are damaged are repaired by the parity file and the patch beside it. What
    /// is of another bundle does not count, even if the bundle is damaged.
    pub fn open_trusted(path: &Path, keys: &TrustedKeys) -> Result<Self, BundleError> {
        let signed = |index: &[u8]| Ok(signature::check(path, index, keys)?);
        Archive::repaired(path, |archive| Self::of(path, archive, signed))
    }

    /// The bundle at `path` as it is on the disk: nothing beside it repairs it.
    pub fn open_as_it_is(path: &Path) -> Result<Self, BundleError> {
        let archive = Archive::open(Repaired::plain(Storage::open(path)?))?;
        Self::of(path, archive, |_| Ok(None))
    }

    pub(super) fn of(
        path: &Path,
        archive: Archive,
        signed: impl Fn(&[u8]) -> Result<Option<Signed>, BundleError>,
    ) -> Result<Self, BundleError> {
        let not_a_bundle = |reason: &str| BundleError::NotABundle {
            path: path.to_owned(),
            reason: reason.to_owned(),
        };
        let index_place =
            archive.place(Own::Index).ok_or_else(|| not_a_bundle("it has no index.json"))?;
        let in_index = |reason: &str| archive.damaged(index_place.offset, reason);
        let index_bytes = document(&archive.blobs.storage, index_place, MAX_INDEX)
            .map_err(|error| in_index(&error.to_string()))?;
        let signed = signed(&index_bytes)?;
        // Nothing but a signature fixes the index, so damage there comes to light here.
        let manifest_blob = bundle_manifest(&index_bytes)
            .map_err(|error| in_index(&error.to_string()))?
            .ok_or_else(|| not_a_bundle("it is an OCI image layout of something else"))?;
        let own = |what: &str, blob: &Descriptor, most| match archive.blobs.read(blob, most) {
            Err(BundleError::Missing(digest)) => {
                Err(in_index(&format!("the bundle lacks blob {digest}, its {what}")))
            }
            Err(BundleError::Blob { digest, source }) => {
                let offset = archive.blobs.blobs.get(&digest).map_or(0, |place| place.offset);
                Err(archive.damaged(offset, &format!("its {what}: {source}")))
            }
            read => read,
        };
        let Outline { lock, lock_blob, contents, layout } = Outline::read(&manifest_blob, own)?
            .ok_or_else(|| not_a_bundle("its manifest holds no lock"))?;
        let absent = archive.check(&lock, layout, index_place, &index_bytes)?;
        let identity = archive.identity().map_or_else(|| Digest::of(&index_bytes), |own| own.0);
        let absent = absent.into_iter().map(|blob| (blob.digest, blob.size)).collect();
        let whole = Release { lock, contents, index: index_bytes };
        let (blobs, others, hop) = (archive.blobs, Others::default(), None);
        Ok(Self { blobs, absent, others, manifest_blob, identity, lock_blob, signed, whole, hop })
    }

    /// The versions of Kubernetes that it can bring a node to, the oldest first: those of
    /// its hops, and its own.
    pub fn releases(&self) -> impl Iterator<Item = &KubernetesVersion> {
        let Lock { hops, kubernetes, .. } = &self.whole.lock;
        hops.iter().map(|hop| &hop.kubernetes).chain([kubernetes])
    }

    /// The same bundle, as if it had only this one of its releases. Its lock, files and
    /// index are then those of this release. Any version that is not a hop means the
    /// bundle's own release.
    pub fn at(self, release: &KubernetesVersion) -> Result<Self, BundleError> {
        Ok(Self { hop: self.of_hop(release)?, ..self })
    }

    /// The digest of the index that it has as a bundle of this release.
    pub fn digest_of(&self, release: &KubernetesVersion) -> Result<Digest, BundleError> {
        let hop = self.of_hop(release)?;
        Ok(Digest::of(&hop.as_ref().unwrap_or(&self.whole).index))
    }

    /// Whether it stands for one of its hops.
    pub fn is_hop(&self) -> bool {
        self.hop.is_some()
    }

    /// The images of the release that it stands for, and of those that follow.
    pub fn images_from_here(&self) -> impl Iterator<Item = &LockedImage> {
        self.images_from(&self.lock().kubernetes)
    }

    /// The same bundle as one of its last release, which has the images of its hops from
    /// `release` on too: to bring them to a node all at once.
    #[must_use]
    pub fn with_images_from(mut self, release: &KubernetesVersion) -> Self {
        let mut seen = HashSet::new();
        let images = self.images_from(release).filter(|image| seen.insert(&image.name));
        self.whole.lock.images = images.cloned().collect();
        Self { hop: None, ..self }
    }

    fn images_from(&self, release: &KubernetesVersion) -> impl Iterator<Item = &LockedImage> {
        let Lock { hops, images, .. } = &self.whole.lock;
        let hops = hops.iter().filter(|hop| hop.kubernetes.minor() >= release.minor());
        hops.flat_map(|hop| &hop.images).chain(images)
    }

    fn of_hop(&self, release: &KubernetesVersion) -> Result<Option<Release>, BundleError> {
        let Release { lock, contents, .. } = &self.whole;
        let hop = lock.hops.iter().find(|hop| hop.kubernetes == *release);
        hop.map(|hop| Release::of_hop(lock, hop, contents)).transpose().map_err(of_lock)
    }

    fn release(&self) -> &Release {
        self.hop.as_ref().unwrap_or(&self.whole)
    }

    /// The lock and the files of the bundle as a whole, with those of its hops.
    pub(super) fn whole(&self) -> (&Lock, &[Content]) {
        (&self.whole.lock, &self.whole.contents)
    }

    /// The content of the bundle, with the reasons for it.
    pub fn lock(&self) -> &Lock {
        &self.release().lock
    }

    /// The digest of `index.json`. It fixes everything in the bundle.
    pub fn index_digest(&self) -> Digest {
        Digest::of(&self.release().index)
    }

    /// The bytes of the whole bundle's `index.json`, which a signature is over.
    pub fn index(&self) -> &[u8] {
        &self.whole.index
    }

    /// The digest of the whole bundle's lock.
    pub fn lock_digest(&self) -> Digest {
        self.lock_blob.digest
    }

    /// Who signed it; none if it was opened without keys.
    pub fn signed(&self) -> Option<&Signed> {
        self.signed.as_ref()
    }

    /// The files that do not belong to images, in the archive's order.
    pub fn contents(&self) -> &[Content] {
        &self.release().contents
    }

    /// The software bill of materials of the whole bundle. Bundles of older versions have
    /// none.
    pub fn sbom(&self) -> Option<&Content> {
        self.whole.contents.iter().find(|file| file.path == BundlePath::Sbom)
    }

    /// The plan of the whole bundle: its index, and all its blobs in their order. Its
    /// documents are empty, because they are blobs of the archive.
    pub fn layout(&self) -> Result<Layout, BundleError> {
        let Release { lock, contents, .. } = &self.whole;
        let layout = layout_of(lock, &self.lock_blob, contents).map_err(of_lock)?;
        Ok(Layout { documents: Vec::new(), ..layout })
    }

    /// The bundle's size in bytes.
    pub fn length(&self) -> u64 {
        self.blobs.storage.length()
    }

    /// The files that hold the bundle. One in a registry has none.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.blobs.storage.files().paths()
    }

    /// Bytes of the archive from an offset on. Nobody has checked them, except who verified
    /// the bundle.
    pub fn read_archive_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.blobs.storage.read_exact_at(buffer, offset)
    }

    /// What was damaged and repaired, as far as the bundle was read.
    pub fn repairs(&self) -> Vec<Repairs> {
        self.blobs.storage.repairs()
    }

    /// Which file it is, for what repairs it: the digest of `index.json` and, of a delta, of
    /// the list of what it lacks behind it; and the file's length in bytes.
    pub fn identity(&self) -> (Digest, u64) {
        (self.identity, self.length())
    }

    /// The bytes of the archive, which may be repaired.
    pub(super) fn storage(&self) -> &Repaired {
        &self.blobs.storage
    }

    /// The offset and size of a blob in the bundle's own file.
    pub(super) fn place_of(&self, digest: Digest) -> Option<(u64, u64)> {
        self.blobs.blobs.get(&digest).map(|place| (place.offset, place.size))
    }

    /// The blob of the bundle manifest.
    pub(super) fn manifest_blob(&self) -> &Descriptor {
        &self.manifest_blob
    }

    /// The digests of the blobs in its own file.
    pub fn digests(&self) -> impl Iterator<Item = Digest> {
        self.blobs.blobs.keys().copied()
    }

    /// The blob of the whole bundle's lock.
    pub fn lock_blob(&self) -> &Descriptor {
        &self.lock_blob
    }

    /// The verified bytes of an image's index, manifest or configuration, at most
    /// 8 MiB.
    pub(super) fn image_document(&self, blob: &Descriptor) -> Result<Vec<u8>, BundleError> {
        read_all(self.open_unnamed(blob)?, blob, MAX_IMAGE_DOCUMENT)
    }
}

impl Archive {
    /// See [`Bundle::identity`].
    pub(super) fn identity(&self) -> Option<(Digest, u64)> {
        let mut bytes = self.bytes(Own::Index, MAX_INDEX)?;
        if self.place(Own::Absent).is_some() {
            bytes.extend(self.bytes(Own::Absent, MAX_ABSENT)?);
        }
        Some((Digest::of(&bytes), self.blobs.storage.length()))
    }

    fn bytes(&self, name: Own, most: u64) -> Option<Vec<u8>> {
        document(&self.blobs.storage, self.place(name)?, most).ok()
    }

    pub(super) fn open(storage: Repaired) -> Result<Self, BundleError> {
        let Entries { own, blobs } = entries::read(&storage)?;
        Ok(Self { own, blobs: Blobs { storage, blobs } })
    }

    fn place(&self, name: Own) -> Option<Place> {
        self.own.get(&name).copied()
    }

    fn damaged(&self, offset: u64, reason: &str) -> BundleError {
        entries::damaged(&self.blobs.storage, offset, reason.to_owned())
    }

    /// The blobs that it lacks on purpose. Fails if the index or the order of the entries
    /// differs from what the lock gives, or if the list of these blobs is not one of them.
    fn check(
        &self,
        lock: &Lock,
        layout: Layout,
        index_place: Place,
        index: &[u8],
    ) -> Result<Vec<Descriptor>, BundleError> {
        let written = self.place(Own::OciLayout).and_then(|place| {
            document(&self.blobs.storage, place, layout::OCI_LAYOUT.len() as u64).ok()
        });
        if layout.index != index || written.as_deref() != Some(layout::OCI_LAYOUT) {
            return Err(self.damaged(index_place.offset, "its index does not fit its lock"));
        }
        if let Some(offset) = self.out_of_order(&layout) {
            return Err(
                self.damaged(offset, "its entries are in another order than its lock gives")
            );
        }
        self.absent(lock, layout)
    }

    /// The offset of an entry that stands before one that it should follow.
    /// [`super::verify`] reports entries that are missing, or too many.
    fn out_of_order(&self, layout: &Layout) -> Option<u64> {
        let own = [Own::OciLayout, Own::Index, Own::Absent].into_iter();
        let own = own.filter_map(|name| self.place(name));
        let blobs = layout.blobs.iter().filter_map(|blob| self.blobs.blobs.get(&blob.digest));
        let mut before = 0;
        own.chain(blobs.copied()).map(|place| place.offset).find(|offset| {
            let last = std::mem::replace(&mut before, *offset);
            *offset < last
        })
    }

    /// The blobs that a delta of `layout` lacks. Its list must be the one that its writer
    /// makes of these blobs, because nothing signs it.
    fn absent(&self, lock: &Lock, layout: Layout) -> Result<Vec<Descriptor>, BundleError> {
        let Some(place) = self.place(Own::Absent) else { return Ok(Vec::new()) };
        let damaged = |reason: &str| self.damaged(place.offset, reason);
        let bytes = document(&self.blobs.storage, place, MAX_ABSENT)
            .map_err(|error| damaged(&error.to_string()))?;
        let listed: Absent = parse("list of what it lacks", &bytes)?;
        let listed: HashSet<Digest> = listed.blobs.into_iter().collect();
        let absent = layout.without(lock, |digest| listed.contains(&digest)).absent;
        if absent.is_empty() || Absent::bytes(&absent).map_err(of_lock)? != bytes {
            return Err(damaged("its list of what it lacks does not fit its lock"));
        }
        match absent.iter().find(|blob| self.blobs.blobs.contains_key(&blob.digest)) {
            Some(blob) => {
                Err(damaged(&format!("it has blob {}, which it says it lacks", blob.digest)))
            }
            None => Ok(absent),
        }
    }
}
