//! Why an image cannot be pulled, in words for the operator.

use bundle_format::reference::ImageReference;
use url::Url;

use super::document::DocumentError;
use super::registry::RegistryError;
use crate::fetch::{FetchError, with_causes};

/// Why an image could not be had, from every place that was asked.
#[derive(Debug, thiserror::Error)]
#[error("image {image} cannot be pulled{}", attempts.iter().map(|attempt| format!("\n  from {attempt}")).collect::<String>())]
pub struct ResolveError {
    /// The image.
    pub image: Box<ImageReference>,
    /// What each place said, in the order they were asked.
    pub attempts: Vec<Attempt>,
}

/// One place's failure.
#[derive(Debug, thiserror::Error)]
#[error("{host}: {}", with_causes(error))]
pub struct Attempt {
    /// The registry or mirror.
    pub host: String,
    /// What went wrong.
    pub error: PullError,
}

/// What went wrong at one registry.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The spec's words on the registry are of no use.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The bytes could not be had.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The bytes are no image.
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
        /// In the OCI's words.
        wanted: &'static str,
        /// The platforms that there are.
        has: String,
    },
    /// An index within an index.
    #[error(
        "the image's entry for linux/{0} is an index again, which is not supported; name the inner index by its digest"
    )]
    Nested(&'static str),
    /// An index within an index, for nobody knows what.
    #[error(
        "the image's index names the index {0} without a platform, which containerd cannot import; name the image's own manifest by its digest"
    )]
    UnplacedIndex(String),
}

/// What to do about an HTTP status, to follow it in a message.
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
