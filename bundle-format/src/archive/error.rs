//! Why a file is no bundle that can be read.

use std::io;
use std::path::PathBuf;

use super::storage::StorageError;
use crate::digest::Digest;
use crate::lock::{LOCK_VERSION, LockError};

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

impl From<LockError> for BundleError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Version { found } => Self::Version { found },
            error => Self::Document { document: "lock", reason: error.to_string() },
        }
    }
}
