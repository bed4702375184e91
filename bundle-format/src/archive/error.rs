//! Why a bundle cannot be read.

use std::io;
use std::iter::successors;
use std::path::PathBuf;

use super::storage::StorageError;
use crate::digest::Digest;
use crate::lock::{LOCK_VERSION_WITH_HOPS, LockError};
use crate::signature::SignatureError;
use crate::text::count;

/// Why a file is not a bundle, or not a complete one.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Its files cannot be opened.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Its signature does not count.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// It is another kind of file.
    #[error("{} is not a bundle: {reason}", path.display())]
    NotABundle {
        /// The file.
        path: PathBuf,
        /// What it is.
        reason: String,
    },
    /// Its bytes were cut off or altered.
    #[error("{} is damaged at byte {offset}: {reason}; copy it again, or check it where it was made", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The offset of the damage.
        offset: u64,
        /// What is wrong there.
        reason: String,
    },
    /// Its end is missing, for example because the disk was full when it was copied.
    #[error("{} ends in the middle of {entry} at byte {length}; the copy is not complete, copy it again", path.display())]
    CutShort {
        /// The file.
        path: PathBuf,
        /// The entry that its last bytes belong to.
        entry: String,
        /// How many bytes it has.
        length: u64,
    },
    /// Its parity file repairs some damage, and there is more.
    #[error("{} has more damage than {} can repair; `installer verify --map` prints what is lost, and of that `bundler patch` makes what repairs it, where the bundle was made; or copy the bundle again", path.display(), parity.display())]
    TooMuch {
        /// The bundle.
        path: PathBuf,
        /// The parity file.
        parity: PathBuf,
        /// The error that the damage caused.
        #[source]
        damage: Box<Self>,
    },
    /// A listed blob is missing.
    #[error("the bundle lacks blob {0}")]
    Missing(Digest),
    /// The bundle is a delta, and nothing that was named with it has this blob.
    #[error(
        "blob {0} is not in the bundle, which is a delta; a bundle that has it can be named too"
    )]
    Absent(Digest),
    /// All of a bundle is needed, and it is a delta.
    #[error("{} is a delta, which lacks {}; `bundler complete` makes the whole bundle", path.display(), count(*blobs, "blob"))]
    Delta {
        /// The file.
        path: PathBuf,
        /// How many blobs it lacks.
        blobs: usize,
    },
    /// Further bundles were named with one that is whole.
    #[error("{} is whole, so no other bundle is needed with it: name the bundle that is wanted first, then those that have what it lacks", path.display())]
    Whole {
        /// The bundle that was named first.
        path: PathBuf,
    },
    /// A further bundle has nothing that the first lacks.
    #[error("{} has nothing that {} lacks: name another bundle with it", path.display(), delta.display())]
    Useless {
        /// The further bundle.
        path: PathBuf,
        /// The bundle that was named first.
        delta: PathBuf,
    },
    /// Several of the bundles that were named cannot be opened, and what they have is lacking.
    #[error("{}", .0.iter().map(Self::in_full).collect::<Vec<_>>().join("\n"))]
    Several(Vec<Self>),
    /// A blob does not have the digest in its name.
    #[error("blob {digest} is damaged")]
    Blob {
        /// The digest in its name.
        digest: Digest,
        /// What is wrong with it.
        #[source]
        source: io::Error,
    },
    /// A blob cannot be read.
    #[error("{subject}: {}", error.in_full())]
    Artifact {
        /// What the blob is of: a file's title or an image's name.
        subject: String,
        /// Why.
        error: Box<Self>,
    },
    /// A document makes no sense.
    #[error("the bundle's {document} makes no sense: {reason}")]
    Document {
        /// `index`, `manifest` or `lock`.
        document: &'static str,
        /// Why.
        reason: String,
    },
    /// Another version of these programs made it.
    #[error(
        "the bundle's lock has version {found}; this program reads versions 1 to {LOCK_VERSION_WITH_HOPS}: use the installer that came with the bundle"
    )]
    Version {
        /// The version of its lock.
        found: u32,
    },
}

impl BundleError {
    /// These errors as one error; none if the list is empty.
    pub(super) fn of_all(all: &mut Vec<Self>) -> Option<Self> {
        match all.len() {
            0 | 1 => all.pop(),
            _ => Some(Self::Several(std::mem::take(all))),
        }
    }

    /// The error with all its causes.
    pub(super) fn in_full(&self) -> String {
        let causes = successors(std::error::Error::source(self), |cause| cause.source());
        causes.fold(self.to_string(), |words, cause| format!("{words}: {cause}"))
    }

    /// What is wrong with a blob that cannot be read.
    pub(super) fn of_blob(&self) -> String {
        match std::error::Error::source(self) {
            Some(source) => source.to_string(),
            None => "it is missing".to_owned(),
        }
    }
}

impl From<LockError> for BundleError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Version { found } => Self::Version { found },
            error => Self::Document { document: "lock", reason: error.to_string() },
        }
    }
}
