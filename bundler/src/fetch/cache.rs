//! The cache of blobs: every file is named for its digest. Several builds may
//! use it at once, and each may be interrupted at any time.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bundle_format::Digest;
use rustix::fs::{FlockOperation, flock};

/// A folder of verified blobs.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
}

/// Something that cannot be done in the cache.
#[derive(Debug, thiserror::Error)]
#[error("the cache cannot be used: {}", path.display())]
pub struct CacheError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl Cache {
    /// The user's own: `$XDG_CACHE_HOME/kubeferry`, or `~/.cache/kubeferry`.
    pub fn of_user() -> Result<Self, CacheError> {
        let base =
            std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
        let folder = base.or_else(home).unwrap_or_else(std::env::temp_dir).join("kubeferry");
        Self::at(&folder)
    }

    /// The one in `folder`, which is made where it is missing.
    pub fn at(folder: &Path) -> Result<Self, CacheError> {
        for part in ["blobs/sha256", "partial"] {
            let path = folder.join(part);
            fs::create_dir_all(&path).map_err(|source| CacheError { path, source })?;
        }
        Ok(Self { folder: folder.to_owned() })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the blob is, or will be.
    pub fn path(&self, digest: Digest) -> PathBuf {
        self.folder.join("blobs/sha256").join(digest.hex())
    }

    /// Opens the blob if it is there with this size. One of another size is
    /// the remains of a broken disk: it is removed.
    pub fn open(&self, digest: Digest, size: u64) -> Option<File> {
        let path = self.path(digest);
        let file = File::open(&path).ok()?;
        if file.metadata().ok()?.len() == size {
            return Some(file);
        }
        drop(fs::remove_file(path));
        None
    }

    /// Keeps `bytes` and gives their digest.
    pub fn insert(&self, bytes: &[u8]) -> Result<Digest, CacheError> {
        let digest = Digest::of(bytes);
        if self.open(digest, bytes.len() as u64).is_some() {
            return Ok(digest);
        }
        let mut partial = self.partial(&digest.hex())?;
        let fail = |source| CacheError { path: self.path(digest), source };
        partial.file.set_len(0).and_then(|()| partial.file.write_all(bytes)).map_err(fail)?;
        self.keep(partial, digest)?;
        Ok(digest)
    }

    /// The unfinished file called `name`, held against other builds: who asks
    /// for it second waits until the first is done with it.
    pub(super) fn partial(&self, name: &str) -> Result<Partial, CacheError> {
        let path = self.folder.join("partial").join(name);
        let open = || loop {
            let file = OpenOptions::new().read(true).append(true).create(true).open(&path)?;
            flock(&file, FlockOperation::LockExclusive)?;
            // Whoever held it before may have moved it to its place meanwhile.
            use std::os::unix::fs::MetadataExt;
            let own = file.metadata()?.ino();
            if fs::metadata(&path).is_ok_and(|now| now.ino() == own) {
                return Ok(file);
            }
        };
        let file = open().map_err(|source| CacheError { path: path.clone(), source })?;
        Ok(Partial { path, file })
    }

    /// Moves a finished file, whose bytes have this digest, to its place.
    pub(super) fn keep(&self, partial: Partial, digest: Digest) -> Result<(), CacheError> {
        let target = self.path(digest);
        partial
            .file
            .sync_data()
            .and_then(|()| fs::rename(&partial.path, &target))
            .map_err(|source| CacheError { path: target, source })
    }
}

/// An unfinished file in the cache.
#[derive(Debug)]
pub(super) struct Partial {
    pub(super) path: PathBuf,
    pub(super) file: File,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_are_kept_once_and_broken_ones_are_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path()).unwrap();
        let digest = cache.insert(b"blob").unwrap();
        assert_eq!(cache.insert(b"blob").unwrap(), digest);
        assert!(cache.open(digest, 4).is_some());
        fs::write(cache.path(digest), b"blo").unwrap();
        assert!(cache.open(digest, 4).is_none());
        assert!(!cache.path(digest).exists());
        assert_eq!(fs::read_dir(folder.path().join("partial")).unwrap().count(), 0);
    }

    #[test]
    fn two_threads_share_one_blob() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path()).unwrap();
        let bytes = vec![7; 1 << 20];
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| cache.insert(&bytes).unwrap());
            }
        });
        let stored = fs::read(cache.path(Digest::of(&bytes))).unwrap();
        assert!(stored == bytes);
    }
}
