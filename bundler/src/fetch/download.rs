//! Fetching one blob into the cache, whatever happens on the way.

use bundle_format::Digest;
use url::Url;

use super::backoff::Clock;
use super::cache::{Cache, CacheError};
use super::checksum::Checksum;
use super::error::{FetchError, with_causes};
use super::fetcher::Fetch;
use super::request::Request;
use super::transfer::{Broken, Transfer, Wanted};

pub use super::source::Source;

/// Why a blob could not be had.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// No place has it.
    #[error("{}", .0.iter().map(|error| with_causes(error)).collect::<Vec<_>>().join("; then "))]
    Sources(Vec<FetchError>),
    /// The cache cannot be used.
    #[error("{}", with_causes(.0))]
    Cache(CacheError),
}

impl From<CacheError> for DownloadError {
    fn from(error: CacheError) -> Self {
        Self::Cache(error)
    }
}

/// Fetches the blob of this digest and size from the first of `sources` that
/// gives it, unless the cache has it. `progress` hears of bytes as they come,
/// those of an earlier attempt included.
pub fn download(
    cache: &Cache,
    sources: &[Source<'_>],
    digest: Digest,
    size: u64,
    progress: &dyn Fn(u64),
) -> Result<(), DownloadError> {
    if cache.open(digest, size).is_some() {
        progress(size);
        return Ok(());
    }
    let mut errors = Vec::new();
    let mut reached = 0;
    for source in sources {
        let partial = cache.partial(&digest.hex())?;
        // Another build may have finished it while this one waited.
        if cache.open(digest, size).is_some() {
            drop(std::fs::remove_file(&partial.path));
            progress(size - reached);
            return Ok(());
        }
        let wanted = Wanted::Digest(digest);
        let mut transfer = Transfer { source, size, wanted, clock: Clock::REAL, progress, reached };
        match transfer.run(partial) {
            Ok((partial, digest)) => return Ok(cache.keep(partial, digest)?),
            Err(Broken::Source(error)) => errors.push(error),
            Err(Broken::Cache(error)) => return Err(error.into()),
        }
        reached = transfer.reached;
    }
    Err(DownloadError::Sources(errors))
}

/// Fetches a file of which only another checksum than its digest is known, and
/// gives the digest; of one that was fetched before the cache knows it.
pub fn download_by_checksum(
    cache: &Cache,
    fetch: &dyn Fetch,
    url: &Url,
    checksum: &Checksum,
    size: u64,
) -> Result<Digest, DownloadError> {
    let known = cache.digest_of(checksum.hex());
    let same = |mut file: std::fs::File| checksum.matches(&mut file).unwrap_or(false);
    if let Some(digest) = known.filter(|digest| cache.open(*digest, size).is_some_and(same)) {
        return Ok(digest);
    }
    let partial = cache.partial(checksum.hex())?;
    let source = &Source { fetch, request: Request::new(url.clone()) };
    let wanted = Wanted::Checksum(checksum);
    let (clock, progress) = (Clock::REAL, &|_: u64| {});
    let mut transfer = Transfer { source, size, wanted, clock, progress, reached: 0 };
    match transfer.run(partial) {
        Ok((partial, digest)) => {
            cache.keep(partial, digest)?;
            cache.note_digest_of(checksum.hex(), digest)?;
            Ok(digest)
        }
        Err(Broken::Source(error)) => Err(DownloadError::Sources(vec![error])),
        Err(Broken::Cache(error)) => Err(error.into()),
    }
}
