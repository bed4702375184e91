//! The answers of earlier runs, by URL. With them, a lock can be made again without a
//! network. Their bytes are blobs of the cache. Tokens and passwords are never
//! stored: logins happen below this.

use std::path::PathBuf;
use std::sync::Arc;

use bundle_format::lock::Descriptor;
use bundle_format::{Digest, input};
use serde::{Deserialize, Serialize};

use super::cache::Cache;
use super::document::Document;
use super::error::FetchError;
use super::fetcher::Fetch;
use super::request::Request;
use super::response::Response;

/// The largest note about a document. Real ones have a few hundred bytes.
const MAX_NOTE: u64 = 64 << 10;
/// The headers that are kept of a document.
const HEADERS: [&str; 3] = ["content-type", "docker-content-digest", "link"];

/// Whether the network may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// It is used.
    On,
    /// It is not used. A document that was never read is missing.
    Off,
}

/// A [`Fetch`] that notes each document's answer, or uses only these notes. Local
/// files are always read themselves.
pub struct Remembering {
    inner: Arc<dyn Fetch>,
    cache: Cache,
    network: Network,
}

#[derive(Serialize, Deserialize)]
struct Note {
    url: String,
    digest: Digest,
    size: u64,
    headers: Vec<(String, String)>,
}

impl Remembering {
    /// Asks `inner`, and stores the answers in `cache`.
    pub fn new(inner: Arc<dyn Fetch>, cache: Cache, network: Network) -> Self {
        Self { inner, cache, network }
    }

    /// Whether the network is used.
    pub fn network(&self) -> Network {
        self.network
    }

    fn place(&self, request: &Request) -> PathBuf {
        let key = format!("{}\n{}", request.url, request.accept.join(","));
        self.cache.folder().join("documents").join(Digest::of(key.as_bytes()).hex())
    }

    fn recall(&self, request: &Request, limit: u64) -> Option<Document> {
        let note = input::file(&self.place(request), MAX_NOTE).ok()?;
        let note: Note = serde_json::from_slice(&note).ok()?;
        if note.url != request.url.as_str() || note.size > limit {
            return None;
        }
        let blob = Descriptor { media_type: "".into(), digest: note.digest, size: note.size };
        Some(Document { bytes: self.cache.document(&blob).ok()?, headers: note.headers })
    }

    fn note(&self, request: &Request, document: &Document) -> anyhow::Result<()> {
        let is_read = |(name, _): &&(String, String)| HEADERS.contains(&name.as_str());
        let note = Note {
            url: request.url.to_string(),
            digest: self.cache.insert(&document.bytes)?,
            size: document.bytes.len() as u64,
            headers: document.headers.iter().filter(is_read).cloned().collect(),
        };
        Ok(self.cache.note(&self.place(request), &serde_json::to_vec(&note)?)?)
    }
}

impl Fetch for Remembering {
    fn open(&self, request: &Request) -> Result<Response, FetchError> {
        if self.network == Network::Off && request.url.scheme() != "file" {
            return Err(FetchError::Offline { url: request.url.clone() });
        }
        self.inner.open(request)
    }

    fn document(&self, request: &Request, limit: u64) -> Result<Document, FetchError> {
        if request.url.scheme() == "file" {
            return self.inner.document(request, limit);
        }
        if self.network == Network::Off {
            let known = self.recall(request, limit);
            return known.ok_or_else(|| FetchError::Offline { url: request.url.clone() });
        }
        let document = self.inner.document(request, limit)?;
        // If the note fails, the document is missing when there is no network,
        // and is reported then.
        drop(self.note(request, &document));
        Ok(document)
    }

    fn cache(&self) -> Option<&Cache> {
        Some(&self.cache)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Cursor;

    use super::*;
    use crate::fetch::checksum::Checksum;
    use crate::fetch::download::{Source, download};

    struct Server;

    impl Fetch for Server {
        fn open(&self, request: &Request) -> Result<Response, FetchError> {
            Ok(Response {
                url: request.url.clone(),
                status: if request.url.path() == "/none" { 404 } else { 200 },
                headers: vec![
                    ("content-type".to_owned(), "text/plain".to_owned()),
                    ("set-cookie".to_owned(), "secret".to_owned()),
                ],
                offset: 0,
                length: None,
                body: Box::new(Cursor::new(match request.url.path() {
                    "/a" => b"a".to_vec(),
                    _ => request.accept.concat().into_bytes(),
                })),
            })
        }
    }

    #[test]
    fn what_was_read_is_known_without_a_network() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path()).unwrap();
        let of = |network| Remembering::new(Arc::new(Server), cache.clone(), network);
        let request = |path: &str, accept: &str| Request {
            accept: vec![accept.to_owned()],
            ..Request::new(format!("https://example.com{path}").parse().unwrap())
        };
        let (on, off) = (of(Network::On), of(Network::Off));
        for accept in ["a", "b"] {
            let asked = request("/x", accept);
            assert!(matches!(off.document(&asked, 9), Err(FetchError::Offline { .. })));
            assert_eq!(on.document(&asked, 9).unwrap().bytes, accept.as_bytes());
            let known = off.document(&asked, 9).unwrap();
            assert_eq!(known.bytes, accept.as_bytes());
            assert_eq!(known.header("content-type"), Some("text/plain"));
            assert_eq!(known.header("set-cookie"), None);
            assert!(off.document(&asked, 0).is_err());
        }
        assert!(on.document(&request("/none", "a"), 9).is_err());
        assert!(matches!(off.document(&request("/none", "a"), 9), Err(FetchError::Offline { .. })));
        assert!(matches!(off.open(&request("/x", "a")), Err(FetchError::Offline { .. })));
        // A blob that was damaged later is not given.
        let digest = Digest::of(b"a");
        fs::write(cache.path(digest), b"b").unwrap();
        assert!(off.document(&request("/x", "a"), 9).is_err());
    }

    #[test]
    fn a_file_of_another_checksum_is_known_too() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path()).unwrap();
        let url: url::Url = "https://example.com/a".parse().unwrap();
        let sha1 = "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8";
        let checksum = Checksum::parse("sha1", sha1).unwrap();
        let get = |network| {
            let fetch = Remembering::new(Arc::new(Server), cache.clone(), network);
            let source = Source::new(&fetch, url.clone());
            download(&cache, &[source], &checksum, 1, &|_| {})
        };
        assert!(get(Network::Off).is_err());
        assert_eq!(get(Network::On).unwrap(), Digest::of(b"a"));
        assert_eq!(get(Network::Off).unwrap(), Digest::of(b"a"));
        // A note that leads to another blob does not count.
        let other = cache.insert(b"b").unwrap();
        fs::write(folder.path().join("checksums").join(sha1), other.to_string()).unwrap();
        assert!(get(Network::Off).is_err());
        assert_eq!(get(Network::On).unwrap(), Digest::of(b"a"));
    }
}
