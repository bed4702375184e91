//! Reading a bundle. Nothing in the file is believed: names, sizes and
//! documents are checked before they are used.

use std::collections::HashMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::blob::BlobReader;
use super::blob_name;
use super::entries::{self, Entry, Place};
use super::storage::{Storage, StorageError};
use crate::digest::Digest;
use crate::layout::{self, BUNDLE_TYPE, BundleManifest, Content, Index, LOCK_TYPE, Layout, TITLE};
use crate::lock::{Descriptor, LOCK_VERSION, Lock, LockError};
use crate::text::printable;
use crate::title;

/// The largest document (index, manifest, lock) that is read into memory.
const MAX_DOCUMENT: u64 = 256 << 20;

/// An open bundle, whose index, bundle manifest and lock have been read.
#[derive(Debug)]
pub struct Bundle {
    blobs: Blobs,
    index: Vec<Descriptor>,
    index_digest: Digest,
    contents: Vec<Content>,
    lock_blob: Descriptor,
    lock: Lock,
}

/// The archive's blobs, before anything is known of them.
#[derive(Debug)]
struct Blobs {
    storage: Storage,
    blobs: HashMap<Digest, Place>,
}

/// Why a file is no bundle, or not a whole one.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Its files cannot be opened.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// It is something else.
    #[error("{} is not a bundle: {reason}", path.display())]
    NotABundle {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        reason: String,
    },
    /// It was cut off or altered.
    #[error("{} is damaged at byte {offset}: {reason}; copy it again, or check it where it was made", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where.
        offset: u64,
        /// How.
        reason: String,
    },
    /// It ends before its end, as a copy to a full disk does.
    #[error("{} ends in the middle of {entry} at byte {length}; the copy is not complete, copy it again", path.display())]
    CutShort {
        /// The file.
        path: PathBuf,
        /// What its last bytes belong to.
        entry: String,
        /// How many bytes it has.
        length: u64,
    },
    /// A blob that is listed is not there.
    #[error("the bundle lacks blob {0}")]
    Missing(Digest),
    /// A blob is not what its name says.
    #[error("blob {digest} is damaged")]
    Blob {
        /// Its name.
        digest: Digest,
        /// How.
        #[source]
        source: io::Error,
    },
    /// A document makes no sense.
    #[error("the bundle's {document} makes no sense: {reason}")]
    Document {
        /// `index`, `manifest` or `lock`.
        document: &'static str,
        /// Why.
        reason: String,
    },
    /// It was made by another version of these programs.
    #[error(
        "the bundle's lock has version {found}; this program reads version {LOCK_VERSION}: use the installer that came with the bundle"
    )]
    Version {
        /// The version of its lock.
        found: u32,
    },
}

impl Bundle {
    /// Opens the bundle at `path`, a file or parts of one (see
    /// [`Storage::open`]).
    pub fn open(path: &Path) -> Result<Self, BundleError> {
        let storage = Storage::open(path)?;
        let entries = entries::read(&storage)?;
        let not_a_bundle = |reason: &str| BundleError::NotABundle {
            path: path.to_owned(),
            reason: reason.to_owned(),
        };
        let place_of =
            |name: &str| entries.iter().find(|entry| entry.name == name).map(|entry| entry.place);
        let index_place =
            place_of("index.json").ok_or_else(|| not_a_bundle("it has no index.json"))?;
        let index_bytes = document(&storage, index_place)
            .map_err(|error| entries::damaged(&storage, index_place.offset, error.to_string()))?;
        let index: Index = parse("index", &index_bytes)?;
        let entry = index
            .manifests
            .iter()
            .find(|entry| entry.artifact_type.as_deref() == Some(BUNDLE_TYPE))
            .ok_or_else(|| not_a_bundle("it is an OCI image layout of something else"))?;
        let of_layout = place_of("oci-layout").and_then(|place| document(&storage, place).ok());
        let blobs = entries.iter().filter_map(|entry| Some((entry.digest?, entry.place))).collect();
        let raw = Blobs { storage, blobs };
        let manifest: BundleManifest = parse("manifest", &raw.read(&entry.descriptor())?)?;
        if manifest.config.media_type != LOCK_TYPE {
            return Err(not_a_bundle("its manifest holds no lock"));
        }
        let lock_blob = manifest.config.descriptor();
        let lock = Lock::parse(&raw.read(&lock_blob)?).map_err(|error| match error {
            LockError::Version { found } => BundleError::Version { found },
            error => BundleError::Document { document: "lock", reason: error.to_string() },
        })?;
        let contents = contents(&manifest, &lock)?;
        // What a lock gives is given: an index that differs was altered.
        let more: Vec<Content> = contents
            .iter()
            .filter(|content| layout::is_repodata(&lock, &content.title))
            .cloned()
            .collect();
        let layout = Layout::new(&lock, &more).map_err(|error| BundleError::Document {
            document: "lock",
            reason: error.to_string(),
        })?;
        let damaged =
            |offset, reason: &str| entries::damaged(&raw.storage, offset, reason.to_owned());
        if layout.index != index_bytes || of_layout.as_deref() != Some(layout::OCI_LAYOUT) {
            return Err(damaged(index_place.offset, "its index does not fit its lock"));
        }
        if let Some(offset) = out_of_order(&entries, &layout) {
            return Err(damaged(offset, "its entries are in another order than its lock gives"));
        }
        Ok(Self {
            index_digest: Digest::of(&index_bytes),
            index: index.manifests.iter().map(layout::Entry::descriptor).collect(),
            blobs: raw,
            contents,
            lock_blob,
            lock,
        })
    }

    /// What it holds and why.
    pub fn lock(&self) -> &Lock {
        &self.lock
    }

    /// The digest of `index.json`, which pins everything in the bundle.
    pub fn index_digest(&self) -> Digest {
        self.index_digest
    }

    /// Its files that are no parts of images, in the archive's order.
    pub fn contents(&self) -> &[Content] {
        &self.contents
    }

    /// Bytes in all.
    pub fn length(&self) -> u64 {
        self.blobs.storage.length()
    }

    /// The files that it lies in.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.blobs.storage.paths()
    }

    /// The files that a blob's bytes lie in; none of a bundle in one piece.
    pub(super) fn parts_of(&self, digest: Digest) -> Vec<String> {
        let place = self.blobs.blobs.get(&digest);
        place.map_or_else(Vec::new, |place| self.blobs.storage.parts(place.offset, place.size))
    }

    pub(super) fn index(&self) -> &[Descriptor] {
        &self.index
    }

    pub(super) fn digests(&self) -> impl Iterator<Item = Digest> {
        self.blobs.blobs.keys().copied()
    }

    /// The lock's own blob.
    pub(super) fn lock_blob(&self) -> &Descriptor {
        &self.lock_blob
    }

    /// A reader of the blob that `descriptor` is about, from its first byte.
    pub fn open_blob(&self, descriptor: &Descriptor) -> Result<BlobReader<'_>, BundleError> {
        self.blobs.open(descriptor)
    }

    /// The verified bytes of a small blob, at most 256 MiB.
    pub fn read(&self, descriptor: &Descriptor) -> Result<Vec<u8>, BundleError> {
        self.blobs.read(descriptor)
    }
}

impl Blobs {
    fn open(&self, descriptor: &Descriptor) -> Result<BlobReader<'_>, BundleError> {
        let digest = descriptor.digest;
        let place = self.blobs.get(&digest).ok_or(BundleError::Missing(digest))?;
        if place.size != descriptor.size {
            let reason = format!("it has {} bytes instead of {}", place.size, descriptor.size);
            return Err(BundleError::Blob { digest, source: io::Error::other(reason) });
        }
        Ok(BlobReader::new(&self.storage, digest, place.offset, place.size))
    }

    fn read(&self, descriptor: &Descriptor) -> Result<Vec<u8>, BundleError> {
        let mut reader = self.open(descriptor)?;
        let fail = |source| BundleError::Blob { digest: descriptor.digest, source };
        if descriptor.size > MAX_DOCUMENT {
            return Err(fail(io::Error::other("it is too large for a document")));
        }
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).map_err(fail)?;
        Ok(bytes)
    }
}

fn parse<T: serde::de::DeserializeOwned>(
    document: &'static str,
    bytes: &[u8],
) -> Result<T, BundleError> {
    serde_json::from_slice(bytes)
        .map_err(|error| BundleError::Document { document, reason: printable(&error.to_string()) })
}

/// The files that the bundle manifest lists, and that nodes can take from it.
fn contents(manifest: &BundleManifest, lock: &Lock) -> Result<Vec<Content>, BundleError> {
    let contents: Vec<Content> = manifest
        .layers
        .iter()
        .map(|layer| Content {
            title: layer.annotations.get(TITLE).cloned().unwrap_or_default(),
            descriptor: layer.descriptor(),
        })
        .collect();
    let titles = || contents.iter().map(|content| content.title.as_str());
    let mut problems = title::problems(titles());
    for target in &lock.targets {
        let repomd = format!("rpms/{}/repodata/repomd.xml", target.id);
        if !titles().any(|title| title == repomd) {
            problems.push(format!("{repomd} is not there"));
        }
    }
    match problems.is_empty() {
        true => Ok(contents),
        false => Err(BundleError::Document { document: "manifest", reason: problems.join("\n") }),
    }
}

/// Where the first entry begins that stands before one that it should follow.
/// What is missing or beyond is for [`super::verify`] to name.
fn out_of_order(entries: &[Entry], layout: &Layout) -> Option<u64> {
    let order = ["oci-layout".to_owned(), "index.json".to_owned()]
        .into_iter()
        .chain(layout.blobs.iter().map(|blob| blob_name(blob.digest)));
    let places: HashMap<String, usize> =
        order.enumerate().map(|(place, name)| (name, place)).collect();
    let found: Vec<(usize, u64)> = entries
        .iter()
        .filter_map(|entry| Some((*places.get(&entry.name)?, entry.place.offset)))
        .collect();
    found.windows(2).find_map(|pair| match pair {
        [(before, offset), (after, _)] if before > after => Some(*offset),
        _ => None,
    })
}

fn document(storage: &Storage, place: Place) -> io::Result<Vec<u8>> {
    if place.size > MAX_DOCUMENT {
        return Err(io::Error::other("it is too large for a document"));
    }
    let mut bytes = vec![0; usize::try_from(place.size).map_err(io::Error::other)?];
    storage.read_exact_at(&mut bytes, place.offset)?;
    Ok(bytes)
}
