//! Fetching one blob into the cache, whatever happens on the way.

use std::io::{Read, Seek, Write};
use std::time::Duration;

use bundle_format::Digest;
use bundle_format::digest::Hasher;
use url::Url;

use super::cache::{Cache, CacheError, Partial};
use super::retry::backoff;
use super::{Fetch, FetchError, Request, chain};
use crate::rpm::checksum::Checksum;

/// How often a transfer that broke off is taken up again without one new byte.
const BARREN_ATTEMPTS: u32 = 5;

/// A place that has a blob.
pub struct Source<'a> {
    /// How to get at it.
    pub fetch: &'a dyn Fetch,
    /// Where it is.
    pub url: Url,
}

/// Why a blob could not be had.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// No place has it.
    #[error("{}", .0.iter().map(|error| chain(error)).collect::<Vec<_>>().join("; then "))]
    Sources(Vec<FetchError>),
    /// The cache cannot be used.
    #[error(transparent)]
    Cache(#[from] CacheError),
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
    for source in sources {
        let partial = cache.partial(&digest.hex())?;
        // Another build may have finished it while this one waited.
        if cache.open(digest, size).is_some() {
            drop(std::fs::remove_file(&partial.path));
            progress(size);
            return Ok(());
        }
        match transfer(source, partial, digest, size, progress, std::thread::sleep) {
            Ok(partial) => return Ok(cache.keep(partial, digest)?),
            Err(error) => errors.push(error),
        }
    }
    Err(DownloadError::Sources(errors))
}

/// Fetches a file of which only another checksum than its digest is known, and
/// gives the digest.
pub fn download_by_checksum(
    cache: &Cache,
    fetch: &dyn Fetch,
    url: &Url,
    checksum: &Checksum,
    size: u64,
) -> Result<Digest, DownloadError> {
    let mut partial = cache.partial(checksum.hex())?;
    let sources = |error| DownloadError::Sources(vec![error]);
    let transport = |error: std::io::Error| {
        sources(FetchError::Transport { url: url.clone(), source: error.into() })
    };
    partial.file.set_len(0).map_err(transport)?;
    let response = fetch.open(&Request::new(url.clone())).map_err(sources)?;
    if response.status != 200 {
        let (status, hint) = (response.status, String::new());
        return Err(sources(FetchError::Status { url: url.clone(), status, hint }));
    }
    std::io::copy(&mut response.body.take(size.saturating_add(1)), &mut partial.file)
        .map_err(transport)?;
    partial.file.rewind().map_err(transport)?;
    if !checksum.matches(&mut partial.file).map_err(transport)? {
        drop(std::fs::remove_file(&partial.path));
        let found = "other bytes".to_owned();
        return Err(sources(FetchError::Mismatch {
            url: url.clone(),
            wanted: checksum.to_string(),
            found,
        }));
    }
    partial.file.rewind().map_err(transport)?;
    let (digest, _) = Digest::of_reader(&mut partial.file).map_err(transport)?;
    cache.keep(partial, digest)?;
    Ok(digest)
}

/// Brings `partial` to `size` bytes and checks them.
fn transfer(
    source: &Source<'_>,
    mut partial: Partial,
    digest: Digest,
    size: u64,
    progress: &dyn Fn(u64),
    sleep: fn(Duration),
) -> Result<Partial, FetchError> {
    let url = &source.url;
    let disk = |error: std::io::Error| FetchError::Transport {
        url: url.clone(),
        source: format!("writing to the cache: {error}").into(),
    };
    // What an earlier attempt left is hashed again: nobody vouches for it.
    let mut hasher = Hasher::new();
    partial.file.rewind().map_err(disk)?;
    let mut have = std::io::copy(&mut partial.file, &mut hasher).map_err(disk)?;
    if have > size {
        (have, hasher) = restart(&partial).map_err(disk)?;
    }
    let mut reported = have;
    progress(have);
    let mut barren = 0;
    while have < size {
        let before = have;
        let broken =
            match fill(source, &mut partial, &mut hasher, &mut have, size, &mut reported, progress)
            {
                Ok(()) => continue,
                Err(Broken::Final(error)) => {
                    // A status says nothing against the bytes that are there.
                    return Err(error);
                }
                Err(Broken::Passing(error)) => error,
            };
        barren = if have > before { 0 } else { barren + 1 };
        if barren == BARREN_ATTEMPTS {
            return Err(broken);
        }
        sleep(backoff(barren));
    }
    let found = hasher.finish();
    if found != digest {
        drop(std::fs::remove_file(&partial.path));
        return Err(FetchError::Mismatch {
            url: url.clone(),
            wanted: digest.to_string(),
            found: found.to_string(),
        });
    }
    Ok(partial)
}

fn restart(partial: &Partial) -> std::io::Result<(u64, Hasher)> {
    partial.file.set_len(0)?;
    Ok((0, Hasher::new()))
}

enum Broken {
    /// It makes no sense to ask this place again.
    Final(FetchError),
    /// The rest may come at another attempt.
    Passing(FetchError),
}

/// Asks once for the rest and takes what comes.
fn fill(
    source: &Source<'_>,
    partial: &mut Partial,
    hasher: &mut Hasher,
    have: &mut u64,
    size: u64,
    reported: &mut u64,
    progress: &dyn Fn(u64),
) -> Result<(), Broken> {
    let url = &source.url;
    let transport =
        |error: std::io::Error| FetchError::Transport { url: url.clone(), source: error.into() };
    let request = Request { offset: *have, ..Request::new(url.clone()) };
    let response = source.fetch.open(&request).map_err(Broken::Final)?;
    match response.status {
        200 | 206 => {}
        // What is there is not the beginning of what is there.
        416 => {
            (*have, *hasher) = restart(partial).map_err(transport).map_err(Broken::Final)?;
            let error = FetchError::Status { url: url.clone(), status: 416, hint: String::new() };
            return Err(Broken::Passing(error));
        }
        status => {
            let hint = String::new();
            return Err(Broken::Final(FetchError::Status { url: url.clone(), status, hint }));
        }
    }
    if response.offset != *have {
        // The server gave the whole, or another piece.
        (*have, *hasher) = restart(partial).map_err(transport).map_err(Broken::Final)?;
        if response.offset != 0 {
            return Err(Broken::Passing(transport(std::io::Error::other(
                "it gave another range than asked for",
            ))));
        }
    }
    let wanted = size - *have;
    if let Some(length) = response.length
        && length != wanted
    {
        let found = format!("{} bytes", have.saturating_add(length));
        return Err(Broken::Final(FetchError::Mismatch {
            url: url.clone(),
            wanted: format!("{size} bytes"),
            found,
        }));
    }
    let mut body = response.body.take(wanted);
    let mut buffer = vec![0; 128 << 10];
    loop {
        let count = match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Broken::Passing(transport(error))),
        };
        let bytes = buffer.get(..count).unwrap_or_default();
        partial.file.write_all(bytes).map_err(transport).map_err(Broken::Final)?;
        hasher.update(bytes);
        *have += count as u64;
        if *have > *reported {
            progress(*have - *reported);
            *reported = *have;
        }
    }
    if *have < size {
        let error = std::io::Error::other(format!("it broke off after {have} of {size} bytes"));
        return Err(Broken::Passing(transport(error)));
    }
    Ok(())
}
