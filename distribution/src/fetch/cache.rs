//! The cache of blobs. Every file is named by its digest. Several builds may use it
//! at once, and each may be interrupted at any time.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bundle_format::durable::{Lock, lock};
use bundle_format::lock::Descriptor;
use bundle_format::{Digest, input};
use rustix::fs::OFlags;

use super::cache_place;
use super::checksum::Checksum;
use super::notice::{Notices, PATIENCE};

/// The largest note of a digest. A digest has less than a hundred bytes.
const MAX_NOTE: u64 = 1 << 10;

/// A folder of verified blobs.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
    notices: Notices,
}

/// An operation on the cache that failed.
#[derive(Debug, thiserror::Error)]
#[error("the cache cannot be used: {}", path.display())]
pub struct CacheError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl CacheError {
    pub(super) fn at(path: &Path, source: io::Error) -> Self {
        Self { path: path.to_owned(), source }
    }
}

impl Cache {
    /// The user's own cache: `$XDG_CACHE_HOME/kubeferry`, or
    /// `~/.cache/kubeferry`. An error if another user could exchange what is in it.
    pub fn of_user() -> Result<Self, CacheError> {
        let base =
            std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
        let folder = base.or_else(home).unwrap_or_else(std::env::temp_dir).join("kubeferry");
        cache_place::check(&folder).map_err(|source| CacheError::at(&folder, source))?;
        Self::at(&folder)
    }

    /// The cache in `folder`. The folder is made if it does not exist.
    pub fn at(folder: &Path) -> Result<Self, CacheError> {
        for part in ["blobs/sha256", "partial"] {
            let path = folder.join(part);
            let mut folders = fs::DirBuilder::new();
            let made = folders.recursive(true).mode(0o755).create(&path);
            made.map_err(|source| CacheError { path, source })?;
        }
        Ok(Self { folder: folder.to_owned(), notices: Notices::new(false) })
    }

    /// The same cache, but it tells `notices` when it waits for another process.
    pub fn telling(self, notices: &Notices) -> Self {
        Self { notices: notices.clone(), ..self }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path that the blob has, or will have.
    pub fn path(&self, digest: Digest) -> PathBuf {
        self.folder.join("blobs/sha256").join(digest.hex())
    }

    /// Opens the blob if it exists with this size. If it has another size, a disk
    /// has damaged it. It is removed then, and so is anything that is not a file.
    pub fn open(&self, digest: Digest, size: u64) -> Option<File> {
        let path = self.path(digest);
        let kind = fs::symlink_metadata(&path).ok()?.file_type();
        if kind.is_file() {
            let file = File::open(&path).ok()?;
            if file.metadata().ok()?.len() == size {
                return Some(file);
            }
        }
        if kind.is_dir() {
            // A folder that is not empty stays. The error names it when
            // the blob is put here.
            drop(fs::remove_dir(path));
        } else {
            drop(fs::remove_file(path));
        }
        None
    }

    /// Removes a blob whose bytes are not those of its name, so that the next attempt
    /// fetches it again.
    pub fn forget(&self, digest: Digest) {
        drop(fs::remove_file(self.path(digest)));
    }

    /// Reads a small blob completely. If its bytes do not have the digest in its
    /// name, it is removed, so that it is fetched again.
    pub fn document(&self, blob: &Descriptor) -> Result<Vec<u8>, CacheError> {
        let path = self.path(blob.digest);
        let fail = |source| CacheError { path: path.clone(), source };
        let Some(mut file) = self.open(blob.digest, blob.size) else {
            return Err(fail(io::Error::other("it is not there; run the build again")));
        };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(fail)?;
        if Digest::of(&bytes) != blob.digest {
            self.forget(blob.digest);
            return Err(fail(io::Error::other("it was damaged; run the build again")));
        }
        Ok(bytes)
    }

    /// Stores `bytes` and gives their digest.
    pub fn insert(&self, bytes: &[u8]) -> Result<Digest, CacheError> {
        let digest = Digest::of(bytes);
        let size = bytes.len() as u64;
        if self.document(&Descriptor { media_type: "".into(), digest, size }).is_ok() {
            return Ok(digest);
        }
        let mut partial = self.partial(&digest.hex())?;
        let fail = |source| CacheError { path: self.path(digest), source };
        partial.file.set_len(0).and_then(|()| partial.file.write_all(bytes)).map_err(fail)?;
        self.keep(partial, digest)?;
        Ok(digest)
    }

    /// The digest of the blob with this checksum and size, if the cache has it. A
    /// blob's name is its SHA-256. With any other checksum, the blob is read
    /// completely.
    pub(super) fn find(&self, checksum: &Checksum, size: u64) -> Option<Digest> {
        if let Some(digest) = checksum.sha256() {
            return self.open(digest, size).map(|_| digest);
        }
        let note = input::file_text(&self.place_of_note(checksum), MAX_NOTE).ok()?;
        let digest = note.trim().parse().ok()?;
        let mut file = self.open(digest, size)?;
        checksum.matches(&mut file).ok()?.then_some(digest)
    }

    /// Notes which blob has this checksum, unless the checksum is in the blob's
    /// name.
    pub(super) fn note_checksum(
        &self,
        checksum: &Checksum,
        digest: Digest,
    ) -> Result<(), CacheError> {
        match checksum.sha256() {
            Some(_) => Ok(()),
            None => self.note(&self.place_of_note(checksum), digest.to_string().as_bytes()),
        }
    }

    fn place_of_note(&self, checksum: &Checksum) -> PathBuf {
        self.folder.join("checksums").join(checksum.hex())
    }

    /// Writes a small file, completely or not at all.
    pub fn note(&self, path: &Path, bytes: &[u8]) -> Result<(), CacheError> {
        self.note_parts(path, &[bytes])
    }

    /// Writes a file that has these parts, completely or not at all.
    pub fn note_parts(&self, path: &Path, parts: &[&[u8]]) -> Result<(), CacheError> {
        let folder = path.parent().unwrap_or(&self.folder);
        let write = || {
            fs::create_dir_all(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            parts.iter().try_for_each(|bytes| file.write_all(bytes))?;
            Ok(file.persist(path)?)
        };
        write().map(drop).map_err(|source| CacheError::at(path, source))
    }

    /// Opens the unfinished file called `name` and locks it. If another build has
    /// the lock, this waits until that build is done with the file.
    pub(super) fn partial(&self, name: &str) -> Result<Partial, CacheError> {
        let path = self.folder.join("partial").join(name);
        let open = || loop {
            let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
            let mut options = OpenOptions::new();
            options.read(true).append(true).create(true).mode(0o644).custom_flags(flags);
            let file = options.open(&path)?;
            if !file.metadata()?.is_file() {
                return Err(io::Error::other("it is not a file; remove it"));
            }
            // The build that had the lock may have moved the file to its
            // place.
            if self.hold(&file, &path)? == Lock::Taken {
                return Ok(file);
            }
        };
        let file = open().map_err(|source| CacheError { path: path.clone(), source })?;
        Ok(Partial { path, file })
    }

    /// Waits until no other process has the file's lock.
    fn hold(&self, file: &File, path: &Path) -> io::Result<Lock> {
        let begun = Instant::now();
        // A file lock has no timeout, so this polls.
        loop {
            match lock(file, path)? {
                Lock::Busy => std::thread::sleep(Duration::from_millis(20)),
                end => return Ok(end),
            }
            if begun.elapsed() >= PATIENCE {
                let words = "another process fetches the same; this one waits for it";
                self.notices.once(&format!("the cache {}", self.folder.display()), words);
            }
        }
    }

    /// Moves a finished file to its place. `digest` is that of its bytes.
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
    fn damaged_ones_of_the_right_size_and_what_is_no_file_are_put_right() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path()).unwrap();
        let digest = cache.insert(b"blob").unwrap();
        let blob = Descriptor { media_type: "".into(), digest, size: 4 };
        let path = cache.path(digest);
        fs::write(&path, b"BLOB").unwrap();
        let error = cache.document(&blob).unwrap_err();
        assert!(error.to_string().contains(&digest.hex()) && !path.exists(), "{error}");
        fs::write(&path, b"BLOB").unwrap();
        cache.insert(b"blob").unwrap();
        assert_eq!(cache.document(&blob).unwrap(), b"blob");
        // Opening a FIFO would wait for a writer, and a folder cannot be
        // replaced by a file.
        let put = |make: fn(&Path)| {
            fs::remove_file(&path).unwrap();
            make(&path);
            assert!(cache.open(digest, 4).is_none());
            cache.insert(b"blob").unwrap();
        };
        put(|path| {
            assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
        });
        put(|path| fs::create_dir(path).unwrap());
        fs::remove_file(&path).unwrap();
        fs::create_dir_all(path.join("full")).unwrap();
        let error = cache.insert(b"blob").unwrap_err().to_string();
        assert!(error.contains(&digest.hex()), "{error}");
    }

    #[test]
    fn waiting_for_another_process_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path()).unwrap().telling(&Notices::new(true));
        let held = cache.partial("blob").unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| cache.partial("blob").unwrap());
            while cache.notices.said().is_empty() {
                std::thread::yield_now();
            }
            assert!(!waiting.is_finished());
            drop(held);
            waiting.join().unwrap();
        });
        assert_eq!(cache.notices.said().len(), 1);
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
