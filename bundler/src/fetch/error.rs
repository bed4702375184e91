//! What can go wrong between asking and having.

use url::Url;

/// Why bytes could not be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The connection, the name, TLS, the disk: nothing that the server said.
    #[error("cannot read {url}")]
    Transport {
        /// What was asked for.
        url: Url,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Nobody listens there, no way leads there, nobody knows its address, or who
    /// answers is not trusted.
    /// That seldom passes soon.
    #[error("cannot reach {url}")]
    Unreachable {
        /// What was asked for.
        url: Url,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It must not be read, and would not be after another attempt either: the
    /// server is not the right one, or asks for what is not done.
    #[error("cannot read {url}: {reason}")]
    Refused {
        /// What was asked for.
        url: Url,
        /// Why it must not.
        reason: String,
    },
    /// The server's answer was not the thing.
    #[error("{}{hint}", answer(url, *status))]
    Status {
        /// What was asked for.
        url: Url,
        /// The HTTP status.
        status: u16,
        /// `: …` with what to do, or empty.
        hint: String,
    },
    /// The answer is larger than anything real would be.
    #[error("{url} is larger than {limit} bytes, the most that is read of such a file")]
    TooLarge {
        /// What was asked for.
        url: Url,
        /// The limit in bytes.
        limit: u64,
    },
    /// A URL of a kind that is not read.
    #[error("{url}: only https://, http:// and file:// URLs are read")]
    Scheme {
        /// What was asked for.
        url: Url,
    },
    /// There is to be no network, and it was not read before.
    #[error("{url} is not in the cache, and --offline asks no network")]
    Offline {
        /// What was asked for.
        url: Url,
    },
    /// The bytes are not those that were promised.
    #[error("{url} has {found}, but {wanted} was promised")]
    Mismatch {
        /// What was asked for.
        url: Url,
        /// What was promised: a size or a digest.
        wanted: String,
        /// What came.
        found: String,
    },
}

/// What a status says; a disk has none, and it is not there.
fn answer(url: &Url, status: u16) -> String {
    match url.to_file_path() {
        Ok(path) if url.scheme() == "file" => format!("there is no file {}", path.display()),
        _ => format!("{url} answered with status {status}"),
    }
}

/// An error with all its causes in one line.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = error.source();
    }
    text
}
