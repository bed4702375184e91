//! Reading a bundle. Nothing in the file is believed: names, sizes and
//! documents are checked before they are used.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::blob::BlobReader;
use super::storage::{Storage, StorageError};
use super::{BLOCK, header, padding};
use crate::digest::Digest;
use crate::layout::{self, BUNDLE_TYPE, BundleManifest, Content, Index, LOCK_TYPE, Layout, TITLE};
use crate::lock::{Descriptor, LOCK_VERSION, Lock};

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

#[derive(Clone, Copy, Debug)]
struct Place {
    offset: u64,
    size: u64,
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
    #[error("the bundle's {document} makes no sense")]
    Document {
        /// `index`, `manifest` or `lock`.
        document: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
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
        let entries = entries(path, &storage)?;
        let not_a_bundle = |reason: &str| BundleError::NotABundle {
            path: path.to_owned(),
            reason: reason.to_owned(),
        };
        let index_place =
            *entries.get("index.json").ok_or_else(|| not_a_bundle("it has no index.json"))?;
        let blobs: HashMap<Digest, Place> = entries
            .iter()
            .filter_map(|(name, place)| {
                let digest = Digest::from_hex(name.strip_prefix("blobs/sha256/")?).ok()?;
                Some((digest, *place))
            })
            .collect();
        let index_bytes =
            document(&storage, index_place).map_err(|source| BundleError::Damaged {
                path: path.to_owned(),
                offset: index_place.offset,
                reason: source.to_string(),
            })?;
        let index: Index = parse("index", &index_bytes)?;
        let entry = index
            .manifests
            .iter()
            .find(|entry| entry.artifact_type.as_deref() == Some(BUNDLE_TYPE))
            .ok_or_else(|| not_a_bundle("it is an OCI image layout of something else"))?;
        let raw = Blobs { storage, blobs };
        let manifest: BundleManifest = parse("manifest", &raw.read(&entry.descriptor())?)?;
        if manifest.config.media_type != LOCK_TYPE {
            return Err(not_a_bundle("its manifest holds no lock"));
        }
        let lock_blob = manifest.config.descriptor();
        let lock_bytes = raw.read(&lock_blob)?;
        let version: LockVersion = parse("lock", &lock_bytes)?;
        if version.lock_version != LOCK_VERSION {
            return Err(BundleError::Version { found: version.lock_version });
        }
        let lock = parse("lock", &lock_bytes)?;
        let mut contents = Vec::new();
        for layer in &manifest.layers {
            let title = layer.annotations.get(TITLE).cloned().unwrap_or_default();
            if !is_plain(&title) {
                return Err(not_a_bundle(&format!("it holds a file named `{title}`")));
            }
            contents.push(Content { title, descriptor: layer.descriptor() });
        }
        // What a lock gives is given: an index that differs was altered.
        let more: Vec<Content> = contents
            .iter()
            .filter(|content| layout::is_repodata(&content.title))
            .cloned()
            .collect();
        let layout = Layout::new(&lock, &more)
            .map_err(|source| BundleError::Document { document: "lock", source })?;
        let of_layout =
            entries.get("oci-layout").and_then(|place| document(&raw.storage, *place).ok());
        if layout.index != index_bytes || of_layout.as_deref() != Some(layout::OCI_LAYOUT) {
            return Err(BundleError::Damaged {
                path: path.to_owned(),
                offset: index_place.offset,
                reason: "its index does not fit its lock".to_owned(),
            });
        }
        Ok(Self {
            index_digest: Digest::of(&index_bytes),
            index: index.manifests.iter().map(crate::layout::Entry::descriptor).collect(),
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

    pub(super) fn index(&self) -> &[Descriptor] {
        &self.index
    }

    pub(super) fn digests(&self) -> impl Iterator<Item = (Digest, u64)> {
        self.blobs.blobs.iter().map(|(digest, place)| (*digest, place.size))
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

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct LockVersion {
    lock_version: u32,
}

fn parse<T: serde::de::DeserializeOwned>(
    document: &'static str,
    bytes: &[u8],
) -> Result<T, BundleError> {
    serde_json::from_slice(bytes).map_err(|source| BundleError::Document { document, source })
}

fn document(storage: &Storage, place: Place) -> io::Result<Vec<u8>> {
    if place.size > MAX_DOCUMENT {
        return Err(io::Error::other("it is too large for a document"));
    }
    let mut bytes = vec![0; usize::try_from(place.size).map_err(io::Error::other)?];
    storage.read_exact_at(&mut bytes, place.offset)?;
    Ok(bytes)
}

/// Whether a title stays in the folder that it is extracted to.
fn is_plain(title: &str) -> bool {
    !title.is_empty()
        && title
            .split('/')
            .all(|part| !matches!(part, "" | "." | "..") && !part.contains(['\\', '\0']))
}

/// Reads every header. They must be exactly those that [`super::writer`] makes.
fn entries(path: &Path, storage: &Storage) -> Result<BTreeMap<String, Place>, BundleError> {
    let not_a_bundle = |reason: String| BundleError::NotABundle { path: path.to_owned(), reason };
    let mut entries = BTreeMap::new();
    let mut offset = 0;
    loop {
        let damaged =
            |reason: String| BundleError::Damaged { path: path.to_owned(), offset, reason };
        let mut block = [0; BLOCK as usize];
        if let Err(error) = storage.read_exact_at(&mut block, offset) {
            if offset == 0 {
                return Err(not_a_bundle("it has less than one block".to_owned()));
            }
            return Err(damaged(match error.kind() {
                io::ErrorKind::UnexpectedEof => "it ends there, before its end mark".to_owned(),
                _ => error.to_string(),
            }));
        }
        if block == [0; BLOCK as usize] && offset == 0 {
            return Err(not_a_bundle("it begins with zeros".to_owned()));
        }
        if block == [0; BLOCK as usize] {
            return match storage.read_exact_at(&mut block, offset + BLOCK) {
                Ok(()) if block != [0; BLOCK as usize] => {
                    Err(damaged("its end mark is altered".to_owned()))
                }
                Ok(()) if storage.length() != offset + 2 * BLOCK => {
                    Err(damaged("there are more bytes behind its end mark".to_owned()))
                }
                Ok(()) => Ok(entries),
                Err(_) => Err(damaged("its end mark is cut off".to_owned())),
            };
        }
        let found = tar::Header::from_byte_slice(&block);
        let name = String::from_utf8_lossy(&found.path_bytes()).into_owned();
        let size = found.entry_size().ok().filter(|size| *size <= storage.length());
        let expected = size.and_then(|size| header(&name, size).ok());
        if expected.is_none_or(|expected| expected.as_bytes() != &block) {
            if offset == 0 {
                return Err(not_a_bundle(what_it_is(&block)));
            }
            return Err(damaged("a header is altered".to_owned()));
        }
        let size = size.unwrap_or_default();
        let known = name == "oci-layout"
            || name == "index.json"
            || name.strip_prefix("blobs/sha256/").is_some_and(|hex| Digest::from_hex(hex).is_ok());
        if !known {
            return Err(damaged(format!("an entry is named `{name}`")));
        }
        let place = Place { offset: offset + BLOCK, size };
        let next = place.offset + size + padding(size);
        let mut zeros = [0; BLOCK as usize];
        let zeros =
            zeros.get_mut(..usize::try_from(padding(size)).unwrap_or(0)).unwrap_or_default();
        if next > storage.length() || storage.read_exact_at(zeros, place.offset + size).is_err() {
            return Err(damaged(format!("it ends inside of `{name}`")));
        }
        if zeros.iter().any(|byte| *byte != 0) {
            return Err(damaged("the bytes behind an entry are altered".to_owned()));
        }
        if entries.insert(name.clone(), place).is_some() {
            return Err(damaged(format!("`{name}` stands there a second time")));
        }
        offset = next;
    }
}

fn what_it_is(start: &[u8]) -> String {
    let known = [
        (&[0x1f, 0x8b][..], "it is compressed with gzip; a bundle is not: unpack it first"),
        (&[0x28, 0xb5, 0x2f, 0xfd], "it is compressed with zstd; a bundle is not: unpack it first"),
        (
            &[0xfd, b'7', b'z', b'X', b'Z'],
            "it is compressed with xz; a bundle is not: unpack it first",
        ),
        (&[0xed, 0xab, 0xee, 0xdb], "it is an RPM"),
        (b"<", "it is a web page or another XML document"),
    ];
    let found = known.iter().find(|(magic, _)| start.starts_with(magic));
    found.map_or("it does not begin as one".to_owned(), |(_, words)| (*words).to_owned())
}
