//! A yum repository, read from its metadata. The caller has checked the signature of
//! `repomd.xml`. Every other file is checked here against the checksums in it.

use bundle_format::{Digest, Nevra};
use url::Url;

use super::dependency::Capability;
use super::location;
use super::package::{Package, Weak};
use super::packages::{Builder, Kept, Packages};
use super::primary::{self, MetadataError};
use super::repomd::{Record, Repomd, RepomdError};
use crate::fetch::checksum::Checksum;
use crate::fetch::{self, Fetch, FetchError};

/// The largest `repomd.xml` that is read, in bytes. Real ones have less than 20 kB.
pub const MAX_REPOMD: u64 = 4 << 20;
/// The largest metadata file that is read, in bytes.
const MAX_COMPRESSED: u64 = 512 << 20;
/// The largest metadata file when decompressed, in bytes. Fedora's filelists, the
/// largest of all, have less than 2 GiB.
const MAX_OPEN: u64 = 4 << 30;

/// The largest comps or modules document when decompressed, in bytes. The largest
/// real ones have about 10 MB.
const MAX_DOCUMENT: u64 = 64 << 20;

/// The packages of a repository, and how the solver treats them.
#[derive(Debug)]
pub struct Repository {
    /// Its short name.
    pub id: String,
    /// The folder above `repodata/`.
    pub base_url: Url,
    /// Decides between repositories that offer the same package: the lowest
    /// number wins.
    pub priority: u32,
    /// Whether the node sees its packages even if a module stream hides them.
    pub module_hotfixes: bool,
    /// The packages.
    pub packages: Packages,
    /// The digest of `repomd.xml`.
    pub repomd_digest: Digest,
    /// The contents of `repomd.xml`.
    pub repomd: Repomd,
    files_complete: bool,
}

/// Why a repository cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// One of its files cannot be fetched.
    #[error("repository `{repository}`")]
    Fetch {
        /// The repository's short name.
        repository: String,
        /// Why.
        #[source]
        source: FetchError,
    },
    /// Its `repomd.xml` cannot be used.
    #[error("repository `{repository}` at {url}")]
    Repomd {
        /// The repository's short name.
        repository: String,
        /// Its base URL.
        url: Url,
        /// Why.
        #[source]
        source: RepomdError,
    },
    /// It has no list of packages.
    #[error("repository `{repository}`: {url} lists no `{kind}` metadata")]
    Missing {
        /// The repository's short name.
        repository: String,
        /// Its base URL.
        url: Url,
        /// `primary` or `filelists`.
        kind: &'static str,
    },
    /// A metadata file is not the one that `repomd.xml` names.
    #[error(
        "repository `{repository}`: {url} is not the file that repomd.xml promises ({wanted}): the mirror is being updated or was tampered with; try again, or another mirror"
    )]
    Checksum {
        /// The repository's short name.
        repository: String,
        /// The file.
        url: Url,
        /// Its checksum in `repomd.xml`.
        wanted: Checksum,
    },
    /// A metadata file cannot be used.
    #[error("repository `{repository}`: {url}")]
    Metadata {
        /// The repository's short name.
        repository: String,
        /// The file.
        url: Url,
        /// Why.
        #[source]
        source: MetadataError,
    },
}

/// The name of the packages on a node. No repository of a spec can have it.
const THE_NODE: &str = "(the node)";

impl Repository {
    /// Reads the packages of the repository at `base_url`. `repomd` has the bytes
    /// of its `repomd.xml`.
    pub fn load(
        fetch: &dyn Fetch,
        id: &str,
        base_url: &Url,
        priority: u32,
        repomd: &[u8],
    ) -> Result<Self, RepositoryError> {
        let base_url = location::folder(base_url);
        let parsed = Repomd::parse(repomd).map_err(|source| RepositoryError::Repomd {
            repository: id.to_owned(),
            url: base_url.clone(),
            source,
        })?;
        let mut repository = Self {
            id: id.to_owned(),
            packages: Packages::none(base_url.clone()),
            base_url,
            priority,
            module_hotfixes: false,
            repomd_digest: Digest::of(repomd),
            repomd: parsed,
            files_complete: false,
        };
        repository.packages = repository.read_packages(fetch)?;
        Ok(repository)
    }

    /// The packages as an earlier run kept them, or else from `primary.xml`.
    fn read_packages(&self, fetch: &dyn Fetch) -> Result<Packages, RepositoryError> {
        let primary = self.repomd.record("primary");
        let kept = primary.and_then(|one| Kept::of(fetch, &self.base_url, &one.checksum));
        if let Some(packages) = kept.as_ref().and_then(Kept::read) {
            return Ok(packages);
        }
        let packages = self.read_record(fetch, "primary", |bytes, limit| {
            primary::read_primary(bytes, limit, &self.base_url)
        })?;
        if let Some(kept) = kept {
            kept.write(&packages);
        }
        Ok(packages)
    }

    /// A repository for the packages that a node already has, with what they
    /// provide and their files. Nobody can fetch from it. It has the lowest
    /// priority. `None` if there are more than any node has.
    pub(super) fn of_node(
        base_url: &Url,
        packages: impl Iterator<Item = (Nevra, Vec<Capability>, Vec<String>)>,
    ) -> Option<Self> {
        let mut all = Builder::new(base_url);
        for (nevra, provides, files) in packages {
            let package = Package {
                nevra,
                source: base_url.clone(),
                size: 0,
                checksum: Digest::of(b"").into(),
                provides,
                requires: Vec::new(),
                conflicts: Vec::new(),
                obsoletes: Vec::new(),
                weak: Weak::default(),
                files,
            };
            all.add(package).ok()?;
        }
        Some(Self {
            id: THE_NODE.to_owned(),
            base_url: base_url.clone(),
            priority: u32::MAX,
            module_hotfixes: true,
            packages: all.finish().ok()?,
            repomd_digest: Digest::of(b""),
            repomd: Repomd::default(),
            files_complete: true,
        })
    }

    /// Whether it is the repository of the packages on a node.
    pub fn is_node(&self) -> bool {
        self.id == THE_NODE
    }

    /// Reads the complete list of files of every package, once. Keeps only the
    /// `wanted` files.
    pub fn load_filelists(
        &mut self,
        fetch: &dyn Fetch,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Result<(), RepositoryError> {
        if self.files_complete {
            return Ok(());
        }
        let files = self.read_record(fetch, "filelists", |bytes, limit| {
            primary::read_filelists(bytes, limit, wanted)
        })?;
        self.packages.list_files(files);
        self.files_complete = true;
        Ok(())
    }

    /// The decompressed text of a small metadata file (comps, modules). `None` if
    /// the repository has none of this kind.
    pub fn document(
        &self,
        fetch: &dyn Fetch,
        kind: &'static str,
    ) -> Result<Option<String>, RepositoryError> {
        if self.repomd.record(kind).is_none() {
            return Ok(None);
        }
        self.read_record(fetch, kind, |bytes, limit| {
            let mut text = String::new();
            let mut reader = super::compression::decompress(bytes, limit.min(MAX_DOCUMENT))?;
            std::io::Read::read_to_string(&mut reader, &mut text)?;
            Ok(Some(text))
        })
    }

    fn read_record<T>(
        &self,
        fetch: &dyn Fetch,
        kind: &'static str,
        read: impl FnOnce(&[u8], u64) -> Result<T, MetadataError>,
    ) -> Result<T, RepositoryError> {
        let record = self.repomd.record(kind).ok_or_else(|| RepositoryError::Missing {
            repository: self.id.clone(),
            url: self.base_url.clone(),
            kind,
        })?;
        let (url, bytes) = self.fetch_record(fetch, record)?;
        let limit = record.open_size.map_or(MAX_OPEN, |size| size.min(MAX_OPEN));
        read(&bytes, limit).map_err(|source| RepositoryError::Metadata {
            repository: self.id.clone(),
            url,
            source,
        })
    }

    fn fetch_record(
        &self,
        fetch: &dyn Fetch,
        record: &Record,
    ) -> Result<(Url, Vec<u8>), RepositoryError> {
        let base = match record.base.as_deref() {
            Some(base) => location::other_base(&self.base_url, base),
            None => Ok(self.base_url.clone()),
        };
        let url = base.and_then(|base| location::file(&base, &record.href)).map_err(|reason| {
            RepositoryError::Repomd {
                repository: self.id.clone(),
                url: self.base_url.clone(),
                source: RepomdError::Malformed(format!("`{}`: {reason}", record.kind)),
            }
        })?;
        let limit = record.size.map_or(MAX_COMPRESSED, |size| size.min(MAX_COMPRESSED));
        let checksum_error = || RepositoryError::Checksum {
            repository: self.id.clone(),
            url: url.clone(),
            wanted: record.checksum.clone(),
        };
        let bytes = match fetch::bytes(fetch, &url, limit) {
            Ok(bytes) => bytes,
            // A file that is longer than its size in `repomd.xml` is not
            // the right file either.
            Err(FetchError::TooLarge { .. }) if record.size.is_some() => {
                return Err(checksum_error());
            }
            Err(source) => {
                return Err(RepositoryError::Fetch { repository: self.id.clone(), source });
            }
        };
        let matches = record.checksum.matches(&mut &bytes[..]).unwrap_or(false);
        if !matches {
            return Err(checksum_error());
        }
        Ok((url, bytes))
    }
}
