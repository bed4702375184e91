//! What cosign signs for an image: JSON that names the image by its digest (sigstore/cosign,
//! `specs/SIGNATURE_SPEC.md`; containers/image, `docs/containers-signature.5.md`).

use bundle_format::digest::Digest;
use bundle_format::text::brief;
use serde::Deserialize;

/// The largest payload, in bytes. Cosign's have 300, and a signer may add some of his own.
pub const MAX_PAYLOAD: u64 = 64 << 10;
/// What a payload says that it is.
const TYPE: &str = "cosign container image signature";

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

/// Checks that a payload is about the image that has the digest `image`. Its signature must
/// count already.
pub(super) fn check(payload: &[u8], image: Digest) -> Result<(), PayloadError> {
    let Payload { critical } = serde_json::from_slice(payload)
        .map_err(|error| PayloadError::NotOverAnImage(brief(&error.to_string())))?;
    if critical.kind != TYPE {
        return Err(PayloadError::NotOverAnImage(format!(
            "its type is `{}`",
            brief(&critical.kind)
        )));
    }
    match critical.image.digest == image.to_string() {
        true => Ok(()),
        false => Err(PayloadError::OtherImage(brief(&critical.image.digest))),
    }
}

#[derive(Deserialize)]
struct Payload {
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
