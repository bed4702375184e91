//! Reading a bundle. Nothing in the file is believed: names, sizes and
//! documents are checked before they are used.

use std::collections::{HashMap, HashSet};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::blob::BlobReader;
use super::entries::{self, Entry, Name, Place};
use super::storage::{Storage, StorageError};
use crate::bounds::{MAX_IMAGE_DOCUMENT, MAX_INDEX, MAX_LOCK, MAX_MANIFEST, MAX_YAML};
use crate::digest::Digest;
use crate::document::walk;
use crate::layout::{self, BUNDLE_TYPE, BundleManifest, Content, Index, LOCK_TYPE, Layout, TITLE};
use crate::lock::{Descriptor, LOCK_VERSION, Lock, LockError};
use crate::problems::Problems;
use crate::text::brief;
use crate::title::{self, Title};

/// An open bundle, whose index, bundle manifest and lock have been read.
#[derive(Debug)]
pub struct Bundle {
    blobs: Blobs,
    manifest_blob: Descriptor,
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
            |name: Name| entries.iter().find(|entry| entry.name == name).map(|entry| entry.place);
        let index_place =
            place_of(Name::Index).ok_or_else(|| not_a_bundle("it has no index.json"))?;
        let index_bytes = document(&storage, index_place, MAX_INDEX)
            .map_err(|error| entries::damaged(&storage, index_place.offset, error.to_string()))?;
        let manifest_blob = bundle_manifest(&index_bytes)?
            .ok_or_else(|| not_a_bundle("it is an OCI image layout of something else"))?;
        let of_layout = place_of(Name::OciLayout)
            .map(|place| document(&storage, place, layout::OCI_LAYOUT.len() as u64));
        let blobs = entries.iter().filter_map(|entry| match entry.name {
            Name::Blob(digest) => Some((digest, entry.place)),
            Name::OciLayout | Name::Index => None,
        });
        let raw = Blobs { blobs: blobs.collect(), storage };
        let manifest: BundleManifest = parse("manifest", &raw.read(&manifest_blob, MAX_MANIFEST)?)?;
        if manifest.config.media_type != LOCK_TYPE {
            return Err(not_a_bundle("its manifest holds no lock"));
        }
        let lock_blob = manifest.config.descriptor();
        let lock = Lock::parse(&raw.read(&lock_blob, MAX_LOCK)?).map_err(|error| match error {
            LockError::Version { found } => BundleError::Version { found },
            error => BundleError::Document { document: "lock", reason: error.to_string() },
        })?;
        let contents = contents(manifest, &lock)?;
        // What a lock gives is given: an index that differs was altered.
        let more: Vec<Content> = contents
            .iter()
            .filter(|content| layout::is_repodata(&lock, &content.title))
            .cloned()
            .collect();
        let of_lock = |error: serde_json::Error| BundleError::Document {
            document: "lock",
            reason: error.to_string(),
        };
        let described = layout::describe_lock(&lock).map_err(of_lock)?;
        let layout = Layout::around(&lock, &described, &more).map_err(of_lock)?;
        let damaged =
            |offset, reason: &str| entries::damaged(&raw.storage, offset, reason.to_owned());
        let is_layout = of_layout.is_some_and(|read| read.is_ok_and(|it| it == layout::OCI_LAYOUT));
        if layout.index != index_bytes || !is_layout {
            return Err(damaged(index_place.offset, "its index does not fit its lock"));
        }
        if let Some(offset) = out_of_order(&entries, &layout) {
            return Err(damaged(offset, "its entries are in another order than its lock gives"));
        }
        Ok(Self {
            index_digest: Digest::of(&index_bytes),
            manifest_blob,
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

    /// The bundle manifest's own blob.
    pub(super) fn manifest_blob(&self) -> &Descriptor {
        &self.manifest_blob
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

    /// The verified bytes of a file, such as Kubernetes YAML, of 32 MiB at most.
    pub fn read(&self, descriptor: &Descriptor) -> Result<Vec<u8>, BundleError> {
        self.blobs.read(descriptor, MAX_YAML)
    }

    /// The same of an image's index, manifest or configuration, of 8 MiB at most.
    pub(super) fn image_document(&self, blob: &Descriptor) -> Result<Vec<u8>, BundleError> {
        self.blobs.read(blob, MAX_IMAGE_DOCUMENT)
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

    fn read(&self, descriptor: &Descriptor, most: u64) -> Result<Vec<u8>, BundleError> {
        let mut reader = self.open(descriptor)?;
        let fail = |source| BundleError::Blob { digest: descriptor.digest, source };
        check_size(descriptor.size, most).map_err(fail)?;
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).map_err(fail)?;
        Ok(bytes)
    }
}

fn parse<T: serde::de::DeserializeOwned>(
    document: &'static str,
    bytes: &[u8],
) -> Result<T, BundleError> {
    walk(bytes, |_, _| ())
        .and_then(|()| serde_json::from_slice(bytes))
        .map_err(|error| BundleError::Document { document, reason: brief(&error.to_string()) })
}

/// The descriptor of the bundle manifest, where the index has one.
fn bundle_manifest(index: &[u8]) -> Result<Option<Descriptor>, BundleError> {
    let index: Index = parse("index", index)?;
    let is_it = |entry: &&layout::Entry| entry.artifact_type.as_deref() == Some(BUNDLE_TYPE);
    Ok(index.manifests.iter().find(is_it).map(layout::Entry::descriptor))
}

/// The files that the bundle manifest lists, and that nodes can take from it.
fn contents(manifest: BundleManifest, lock: &Lock) -> Result<Vec<Content>, BundleError> {
    let mut problems = Problems::default();
    let mut contents = Vec::new();
    for mut layer in manifest.layers {
        let descriptor = layer.descriptor();
        match layer.annotations.remove(TITLE).unwrap_or_default().parse::<Title>() {
            Ok(title) => contents.push(Content { title, descriptor }),
            Err(error) => problems.add(|| error.to_string()),
        }
    }
    let titles = || contents.iter().map(|content| content.title.as_str());
    title::clashes(titles(), str::to_ascii_lowercase, &mut problems);
    let known: HashSet<&str> = titles().collect();
    for target in &lock.targets {
        let repomd = format!("rpms/{}/repodata/repomd.xml", target.id);
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

/// Where the first entry begins that stands before one that it should follow.
/// What is missing or beyond is for [`super::verify`] to name.
fn out_of_order(entries: &[Entry], layout: &Layout) -> Option<u64> {
    let order = [Name::OciLayout, Name::Index]
        .into_iter()
        .chain(layout.blobs.iter().map(|blob| Name::Blob(blob.digest)));
    let places: HashMap<Name, usize> =
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

fn document(storage: &Storage, place: Place, most: u64) -> io::Result<Vec<u8>> {
    check_size(place.size, most)?;
    let mut bytes = vec![0; usize::try_from(place.size).map_err(io::Error::other)?];
    storage.read_exact_at(&mut bytes, place.offset)?;
    Ok(bytes)
}

fn check_size(size: u64, most: u64) -> io::Result<()> {
    if size > most {
        let words = format!("it has {size} bytes, and no such document has more than {most}");
        return Err(io::Error::other(words));
    }
    Ok(())
}
