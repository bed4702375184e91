//! From a repository's URL to its verified metadata.

use std::time::SystemTime;

use url::Url;

use super::key::{ExpiredKeys, Keyring, SignatureError};
use super::location::folder;
use super::repository::{MAX_REPOMD, Repository, RepositoryError};
use crate::fetch::{self, Fetch, FetchError};
use crate::page;

/// The largest signature file that is read, in bytes.
const MAX_SIGNATURE: u64 = 1 << 20;

/// How the metadata is checked.
#[derive(Debug)]
pub enum Metadata {
    /// `repomd.xml.asc` must be by one of these keys.
    Signed {
        /// The keys.
        keyring: Keyring,
        /// What becomes of expired ones.
        expired: ExpiredKeys,
        /// The time by which they have expired or not.
        now: SystemTime,
    },
    /// It is not checked; the caller has said so to somebody.
    Unchecked,
}

/// A repository to read.
#[derive(Clone, Copy, Debug)]
pub struct RepositorySource<'a> {
    /// Its short name.
    pub id: &'a str,
    /// The folder above `repodata/`.
    pub base_url: &'a Url,
    /// Which wins when several offer a package: the lowest number.
    pub priority: u32,
}

/// A repository with the key that signed its metadata.
#[derive(Debug)]
pub struct Loaded {
    /// The repository.
    pub repository: Repository,
    /// The key's fingerprint; none where the metadata is not checked.
    pub signed_by: Option<String>,
}

/// Why a repository cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Its table of contents, or the signature, cannot be had.
    #[error("repository `{repository}`")]
    Fetch {
        /// The repository's short name.
        repository: String,
        /// Why.
        #[source]
        source: FetchError,
    },
    /// The signature of its metadata does not count.
    #[error("repository `{repository}`: {url}")]
    Signature {
        /// The repository's short name.
        repository: String,
        /// `…/repomd.xml`.
        url: Url,
        /// Why.
        #[source]
        source: SignatureError,
    },
    /// Something else was sent in the place of its table of contents.
    #[error("repository `{repository}`: {url} gave {what}: {}", page::advice(.url.as_str()))]
    Page {
        /// The repository's short name.
        repository: String,
        /// `…/repomd.xml`.
        url: Url,
        /// What it is.
        what: String,
    },
    /// What stands below is of no use.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

impl RepositorySource<'_> {
    /// Reads `repomd.xml`, checks its signature, and only then reads on.
    pub fn load(&self, fetch: &dyn Fetch, metadata: &Metadata) -> Result<Loaded, SourceError> {
        let base = folder(self.base_url);
        let fetch_error = |source| SourceError::Fetch { repository: self.id.to_owned(), source };
        let url = place(&base, "repodata/repomd.xml").map_err(fetch_error)?;
        let repomd = fetch::bytes(fetch, &url, MAX_REPOMD).map_err(fetch_error)?;
        if let Some(what) = page::instead(&repomd) {
            return Err(SourceError::Page { repository: self.id.to_owned(), url, what });
        }
        let signed_by = match metadata {
            Metadata::Unchecked => None,
            Metadata::Signed { keyring, expired, now } => {
                let signature_error = |source| SourceError::Signature {
                    repository: self.id.to_owned(),
                    url: url.clone(),
                    source,
                };
                let signature_url = place(&base, "repodata/repomd.xml.asc").map_err(fetch_error)?;
                let signature = match fetch::bytes(fetch, &signature_url, MAX_SIGNATURE) {
                    Ok(signature) => signature,
                    Err(FetchError::Status { status: 404, .. }) => {
                        return Err(signature_error(SignatureError::Unsigned));
                    }
                    Err(source) => return Err(fetch_error(source)),
                };
                let fingerprint =
                    keyring.verify(&repomd, &signature, *expired, *now).map_err(signature_error)?;
                Some(fingerprint)
            }
        };
        let repository = Repository::load(fetch, self.id, &base, self.priority, &repomd)?;
        Ok(Loaded { repository, signed_by })
    }
}

fn place(base: &Url, path: &str) -> Result<Url, FetchError> {
    base.join(path).map_err(|_| FetchError::Scheme { url: base.clone() })
}
