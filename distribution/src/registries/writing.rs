//! The requests that write to a registry (OCI distribution spec, "Push").

use bundle_format::digest::Digest;
use bytes::Bytes;
use url::Url;

use super::registry::Endpoint;
use crate::fetch::{Request, Sending, Verb};

/// The media type of a piece of a blob.
const BYTES: &str = "application/octet-stream";

impl Endpoint {
    /// The question whether the repository has a blob.
    pub fn look_for_blob(&self, digest: &Digest) -> Request {
        Request::look(self.below(&format!("blobs/{digest}")))
    }

    /// Begins the upload of a blob. If the repository `from` of the same registry has it,
    /// the registry may take it from there.
    pub fn begin_upload(&self, digest: &Digest, from: Option<&str>) -> Request {
        let mut url = self.below("blobs/uploads/");
        if let Some(from) = from {
            let mount = digest.to_string();
            url.query_pairs_mut().extend_pairs([("mount", mount.as_str()), ("from", from)]);
        }
        let (media_type, body) = (String::new(), Bytes::new());
        let sending = Sending { verb: Verb::Post, media_type, body, offset: None };
        Request::send(url, sending)
    }

    /// The place that an answer names for what comes next. None if it is not a URL, or
    /// if it is at another host or without TLS: the bytes are for this registry.
    pub fn place(&self, location: &str) -> Option<Url> {
        let root = self.root();
        let place = root.join(location).ok()?;
        (place.origin() == root.origin()).then_some(place)
    }

    /// Puts a manifest, under a tag or its digest.
    pub fn put_manifest(&self, name: &str, media_type: &str, bytes: &[u8]) -> Request {
        let (media_type, body) = (media_type.to_owned(), Bytes::copy_from_slice(bytes));
        let sending = Sending { verb: Verb::Put, media_type, body, offset: None };
        Request::send(self.below(&format!("manifests/{name}")), sending)
    }
}

/// Adds a piece to an upload.
pub fn piece(place: Url, offset: u64, bytes: Vec<u8>) -> Request {
    let (media_type, body) = (BYTES.to_owned(), bytes.into());
    Request::send(place, Sending { verb: Verb::Patch, media_type, body, offset: Some(offset) })
}

/// Ends an upload with its last piece. `offset` is none if that is the whole blob.
pub fn last_piece(mut place: Url, digest: &Digest, offset: Option<u64>, bytes: Vec<u8>) -> Request {
    place.query_pairs_mut().append_pair("digest", &digest.to_string());
    let (media_type, body) = (BYTES.to_owned(), bytes.into());
    Request::send(place, Sending { verb: Verb::Put, media_type, body, offset })
}
