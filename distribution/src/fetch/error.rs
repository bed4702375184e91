//! Errors between a request and its bytes.

use url::Url;

/// Why bytes could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// An error of the connection, the name, TLS or the disk. The server did not
    /// answer.
    #[error("cannot read {url}")]
    Transport {
        /// What was asked for.
        url: Url,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Nobody answers there, no route leads there, its address is unknown, or it
    /// is not trusted. This seldom changes soon.
    #[error("cannot reach {url}")]
    Unreachable {
        /// What was asked for.
        url: Url,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It must not be read, and another attempt would not change that: the server
    /// is not the right one, or asks for something that this program does not do.
    #[error("cannot read {url}: {reason}")]
    Refused {
        /// What was asked for.
        url: Url,
        /// Why it must not be read.
        reason: String,
    },
    /// The server answered with an error.
    #[error("{}{hint}", answer(url, *status))]
    Status {
        /// What was asked for.
        url: Url,
        /// The HTTP status.
        status: u16,
        /// `: …` with what to do, or empty.
        hint: String,
    },
    /// The answer is larger than any real one.
    #[error("{url} is larger than {limit} bytes, the most that is read of such a file")]
    TooLarge {
        /// What was asked for.
        url: Url,
        /// The limit in bytes.
        limit: u64,
    },
    /// The URL is of a kind that this program does not read.
    #[error("{url}: only https://, http:// and file:// URLs are read")]
    Scheme {
        /// What was asked for.
        url: Url,
    },
    /// The network may not be used, and no earlier run has read this.
    #[error("{url} is not in the cache, and --offline does not use the network")]
    Offline {
        /// What was asked for.
        url: Url,
    },
    /// The bytes are not the expected ones.
    #[error("{url} has {found}, but {wanted} was promised")]
    Mismatch {
        /// What was asked for.
        url: Url,
        /// What was expected: a size or a digest.
        wanted: String,
        /// What came.
        found: String,
    },
}

/// The meaning of a status. A disk has no status: the file does not exist.
fn answer(url: &Url, status: u16) -> String {
    match url.to_file_path() {
        Ok(path) if url.scheme() == "file" => format!("there is no file {}", path.display()),
        _ => format!("{url} answered with status {status}"),
    }
}

/// An error with all its causes in one line.
pub fn with_causes(error: &dyn std::error::Error) -> String {
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
