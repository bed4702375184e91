//! Fetching a blob into the cache, from several places and in several attempts if
//! need be.

use bundle_format::Digest;

use super::backoff::Clock;
use super::cache::{Cache, CacheError};
use super::checksum::Checksum;
use super::error::{FetchError, with_causes};
use super::transfer::{Broken, Transfer};

pub use super::source::Source;

/// Why a blob could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// No source gave it.
    #[error("{}", .0.iter().map(|error| with_causes(error)).collect::<Vec<_>>().join("; then "))]
    Sources(Vec<FetchError>),
    /// The cache cannot be used.
    #[error("{}", with_causes(.0))]
    Cache(CacheError),
    /// The code that fetches it has a bug.
    #[error(
        "bundler has a bug that ended this transfer; report what it wrote above, and run it again"
    )]
    Panicked,
}

impl From<CacheError> for DownloadError {
    fn from(error: CacheError) -> Self {
        Self::Cache(error)
    }
}

/// Fetches the blob with this checksum and size from the first of `sources` that
/// gives it, unless the cache has it. Gives its digest. `progress` is called with
/// numbers of bytes as they come, those of an earlier attempt included.
pub fn download(
    cache: &Cache,
    sources: &[Source<'_>],
    wanted: &Checksum,
    size: u64,
    progress: &dyn Fn(u64),
) -> Result<Digest, DownloadError> {
    if let Some(digest) = cache.find(wanted, size) {
        progress(size);
        return Ok(digest);
    }
    let mut errors = Vec::new();
    let mut reached = 0;
    for source in sources {
        let partial = cache.partial(wanted.hex())?;
        // Another build may have finished it while this one waited.
        if let Some(digest) = cache.find(wanted, size) {
            drop(std::fs::remove_file(&partial.path));
            progress(size - reached);
            return Ok(digest);
        }
        let mut transfer = Transfer { source, size, wanted, clock: Clock::REAL, progress, reached };
        match transfer.run(partial) {
            Ok((partial, digest)) => {
                cache.keep(partial, digest)?;
                cache.note_checksum(wanted, digest)?;
                return Ok(digest);
            }
            Err(Broken::Source(error)) => errors.push(error),
            Err(Broken::Cache(error)) => return Err(error.into()),
        }
        reached = transfer.reached;
    }
    Err(DownloadError::Sources(errors))
}
