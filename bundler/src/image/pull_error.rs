//! Why an image cannot be pulled.

use bundle_format::reference::ImageReference;
use url::Url;

use super::document::DocumentError;
use super::registry::RegistryError;
use crate::fetch::{FetchError, with_causes};

/// Why no registry or mirror had an image.
#[derive(Debug, thiserror::Error)]
#[error("image {image} cannot be pulled{}", attempts.iter().map(|attempt| format!("\n  from {attempt}")).collect::<String>())]
pub struct ResolveError {
    /// The image.
    pub image: Box<ImageReference>,
    /// The error of each registry or mirror, in the order in which they were
    /// asked.
    pub attempts: Vec<Attempt>,
}

/// The error of one registry or mirror.
#[derive(Debug, thiserror::Error)]
#[error("{host}: {}", with_causes(error))]
pub struct Attempt {
    /// The registry or mirror.
    pub host: String,
    /// The error.
    pub error: PullError,
}

/// Why one registry or mirror did not have the image.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The registry cannot be asked as the spec says.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The bytes could not be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The bytes are not an image.
    #[error("{url}: {source}")]
    Document {
        /// Where they came from.
        url: Box<Url>,
        /// What is wrong with them.
        source: DocumentError,
    },
    /// The index has nothing for the architecture.
    #[error("the image has nothing for linux/{wanted}; it has: {has}")]
    Platform {
        /// The architecture, in the OCI's words.
        wanted: &'static str,
        /// The platforms in the index.
        has: String,
    },
    /// An index in an index.
    #[error(
        "the image's entry for linux/{0} is another index, which is not supported; name that index by its digest"
    )]
    Nested(&'static str),
    /// An index in an index, without a platform.
    #[error(
        "the image's index names the index {0} without a platform, which containerd cannot import; name the image's own manifest by its digest"
    )]
    UnplacedIndex(String),
}

/// What to do about an HTTP status, for the end of a message.
pub(super) fn hint(status: u16) -> &'static str {
    match status {
        404 => ": the registry has no such image; check the name and the tag",
        403 => ": this user may not pull it, or the image does not exist",
        429 => {
            ": too many pulls; wait, log in with `docker login`, or name a mirror under `registries` in the spec"
        }
        500..=599 => ": the registry has trouble; try again later",
        _ => "",
    }
}
