//! What cosign signs for an image: JSON that names the image by its digest. Cosign 2 signs its
//! bytes (sigstore/cosign, `specs/SIGNATURE_SPEC.md`; containers/image,
//! `docs/containers-signature.5.md`). Cosign 3 signs a statement of in-toto's in an envelope
//! (secure-systems-lab/dsse, `protocol.md`; in-toto/attestation, `spec/v1/statement.md`).

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bundle_format::digest::Digest;
use bundle_format::text::brief;
use serde::Deserialize;

/// The largest payload, in bytes. Cosign's have 300, and a signer may add some of his own.
pub const MAX_PAYLOAD: u64 = 64 << 10;
/// What a payload of cosign 2 says that it is.
const TYPE: &str = "cosign container image signature";
/// The type of a payload that is a statement.
const IN_TOTO: &str = "application/vnd.in-toto+json";
/// The kinds of statements, in-toto's own word for it (`_type`).
const STATEMENTS: [&str; 2] =
    ["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"];
/// What a statement of cosign 3 says about an image: that it is signed (`pkg/types/predicate.go`).
const SIGNED: &str = "https://sigstore.dev/cosign/sign/v1";

/// Why a payload is not about an image.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// It is something else.
    #[error("what was signed is not a signature over an image: {0}")]
    NotOverAnImage(String),
    /// It names another image.
    #[error("another image was signed: {0}")]
    OtherImage(String),
}

/// What was signed.
#[derive(Clone, Debug)]
pub(super) struct Payload {
    /// Its type in an envelope; none if its bytes alone were signed.
    pub(super) kind: Option<String>,
    pub(super) bytes: Vec<u8>,
}

impl Payload {
    /// That of a lock, which has it in base64.
    pub(super) fn of_lock(kind: Option<&String>, text: &str) -> Option<Self> {
        Some(Self { kind: kind.cloned(), bytes: STANDARD.decode(text).ok()? })
    }

    /// The bytes that the signature is over: in an envelope, its "pre-authentication encoding".
    pub(super) fn signed(&self) -> Cow<'_, [u8]> {
        let Some(kind) = &self.kind else { return Cow::Borrowed(&self.bytes) };
        let head = format!("DSSEv1 {} {kind} {} ", kind.len(), self.bytes.len());
        Cow::Owned([head.as_bytes(), &self.bytes].concat())
    }

    /// Checks that it is about the image that has the digest `image`. Its signature must count
    /// already.
    pub(super) fn check(&self, image: Digest) -> Result<(), PayloadError> {
        match self.kind.as_deref() {
            None => names(&self.bytes, image),
            Some(IN_TOTO) => states(&self.bytes, image),
            Some(other) => Err(not_over_an_image("type", other)),
        }
    }
}

/// Checks cosign 2's JSON.
fn names(bytes: &[u8], image: Digest) -> Result<(), PayloadError> {
    let Named { critical } = serde_json::from_slice(bytes).map_err(|error| malformed(&error))?;
    if critical.kind != TYPE {
        return Err(not_over_an_image("type", &critical.kind));
    }
    match critical.image.digest == image.to_string() {
        true => Ok(()),
        false => Err(PayloadError::OtherImage(brief(&critical.image.digest))),
    }
}

/// Checks cosign 3's statement. It may be about several things.
fn states(bytes: &[u8], image: Digest) -> Result<(), PayloadError> {
    let own: Statement = serde_json::from_slice(bytes).map_err(|error| malformed(&error))?;
    if !STATEMENTS.contains(&&*own.kind) {
        return Err(not_over_an_image("`_type`", &own.kind));
    }
    if own.predicate_type != SIGNED {
        return Err(not_over_an_image("`predicateType`", &own.predicate_type));
    }
    let digests = || own.subject.iter().filter_map(|subject| subject.digest.sha256.as_deref());
    match digests().any(|digest| digest == image.hex()) {
        true => Ok(()),
        false => {
            let others: Vec<String> = digests().map(|digest| format!("sha256:{digest}")).collect();
            Err(PayloadError::OtherImage(brief(&others.join(", "))))
        }
    }
}

fn malformed(error: &serde_json::Error) -> PayloadError {
    PayloadError::NotOverAnImage(brief(&error.to_string()))
}

fn not_over_an_image(what: &str, own: &str) -> PayloadError {
    PayloadError::NotOverAnImage(format!("its {what} is `{}`", brief(own)))
}

#[derive(Deserialize)]
struct Named {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    #[serde(rename = "type")]
    kind: String,
    image: Image,
}

#[derive(Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    digest: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    predicate_type: String,
    subject: Vec<Subject>,
}

#[derive(Deserialize)]
struct Subject {
    digest: Digests,
}

#[derive(Deserialize)]
struct Digests {
    sha256: Option<String>,
}
