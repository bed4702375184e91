//! From a repository's URL to its verified metadata.

use std::time::SystemTime;

use url::Url;

use super::key::{ExpiredKeys, Keyring, SignatureError};
use super::location::folder;
use super::repository::{MAX_REPOMD, Repository, RepositoryError};
use super::signatory::Signatory;
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
        /// What to do with expired keys.
        expired: ExpiredKeys,
        /// The time at which expiry is judged.
        now: SystemTime,
    },
    /// It is not checked. The caller reports that.
    Unchecked,
}

/// A repository to read.
#[derive(Clone, Copy, Debug)]
pub struct RepositorySource<'a> {
    /// Its short name.
    pub id: &'a str,
    /// The folder above `repodata/`.
    pub base_url: &'a Url,
    /// Decides between repositories that offer the same package: the lowest
    /// number wins.
    pub priority: u32,
}

/// A repository, and the key that signed its metadata.
#[derive(Debug)]
pub struct Loaded {
    /// The repository.
    pub repository: Repository,
    /// The key. `None` if the metadata is not checked.
    pub signed_by: Option<Signatory>,
}

/// Why a repository cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Its `repomd.xml` or the signature cannot be fetched.
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
    /// The server sent something else instead of `repomd.xml`.
    #[error("repository `{repository}`: {url} gave {what}: {}", page::advice(.url.as_str()))]
    Page {
        /// The repository's short name.
        repository: String,
        /// `…/repomd.xml`.
        url: Url,
        /// What kind of file it is.
        what: String,
    },
    /// A file that `repomd.xml` lists cannot be used.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

impl RepositorySource<'_> {
    /// Reads `repomd.xml` and checks its signature. Only then reads more.
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
                let verified = keyring.verify(&repomd, &signature, *expired, *now);
                Some(verified.map_err(signature_error)?)
            }
        };
        let repository = Repository::load(fetch, self.id, &base, self.priority, &repomd)?;
        Ok(Loaded { repository, signed_by })
    }
}

fn place(base: &Url, path: &str) -> Result<Url, FetchError> {
    base.join(path).map_err(|_| FetchError::Scheme { url: base.clone() })
}
