//! Cosign's signatures over images: a *payload*, which is JSON and names an image by its
//! digest, and a signature over the payload's bytes (sigstore/cosign,
//! `specs/SIGNATURE_SPEC.md`; containers/image, `docs/containers-signature.5.md`).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bundle_format::digest::Digest;
use bundle_format::lock::LockedSignature;
use bundle_format::text::brief;
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::pkcs8::{DecodePublicKey, EncodePublicKey};
use serde::Deserialize;

/// The largest payload, in bytes. Cosign's have 300, and a signer may add some of his own.
pub const MAX_PAYLOAD: u64 = 64 << 10;
/// The longest signature, in characters of base64. Real ones have 96.
const MAX_SIGNATURE: usize = 1024;
/// What a payload says that it is.
const TYPE: &str = "cosign container image signature";

/// A key that cosign's signatures are checked with: ECDSA on the curve P-256, as `cosign
/// generate-key-pair` makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(p256::PublicKey);

/// Why a text is no such key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Its owner must keep it.
    #[error(
        "it is a private key: name its public key, which `cosign public-key --key FILE` prints"
    )]
    Private,
    /// Something else.
    #[error(
        "it is not a public key of cosign's: a PEM file with `BEGIN PUBLIC KEY`, for ECDSA on the \
         curve P-256, such as the `cosign.pub` of `cosign generate-key-pair`"
    )]
    Unknown,
}

/// Why a signature does not count.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// A text of the lock is not what it must be.
    #[error("its {0} cannot be read")]
    Unreadable(&'static str),
    /// Another key made it, or the payload was changed afterwards.
    #[error("it is not over this payload, or another key made it")]
    NotTheKeys,
    /// The payload is something else.
    #[error("what the key signed is not a signature over an image: {0}")]
    NotOverAnImage(String),
    /// The payload names another image.
    #[error("the key signed another image: {0}")]
    OtherImage(String),
}

impl PublicKey {
    /// Reads a PEM file.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        if text.contains("PRIVATE KEY") {
            return Err(KeyError::Private);
        }
        p256::PublicKey::from_public_key_pem(text.trim()).map(Self).map_err(|_| KeyError::Unknown)
    }

    /// The key in a lock, which is the base64 of its `SubjectPublicKeyInfo`.
    fn from_lock(text: &str) -> Option<Self> {
        let der = STANDARD.decode(text).ok()?;
        p256::PublicKey::from_public_key_der(&der).map(Self).ok()
    }

    /// The same bytes as `openssl pkey -pubin -outform DER` writes.
    fn der(&self) -> Vec<u8> {
        // Any key on the curve has this form.
        self.0.to_public_key_der().map(|der| der.as_bytes().to_vec()).unwrap_or_default()
    }

    /// The lock's entry of a signature by this key.
    pub fn locked(&self, key_file: &str, payload: &[u8], signature: &str) -> LockedSignature {
        LockedSignature {
            key_file: key_file.to_owned(),
            key: STANDARD.encode(self.der()),
            payload: STANDARD.encode(payload),
            signature: signature.to_owned(),
        }
    }

    /// Whether `signature`, in base64, is this key's over `payload`, and whether the payload
    /// is about the image that has the digest `image`.
    pub fn check(&self, payload: &[u8], signature: &str, image: Digest) -> Result<(), Refusal> {
        if payload.len() as u64 > MAX_PAYLOAD {
            return Err(Refusal::Unreadable("payload"));
        }
        let short = Some(signature.trim()).filter(|text| text.len() <= MAX_SIGNATURE);
        let der = short.and_then(|text| STANDARD.decode(text).ok());
        let read = der.and_then(|der| Signature::from_der(&der).ok());
        let read = read.ok_or(Refusal::Unreadable("signature"))?;
        // Nothing in the payload is looked at before that.
        VerifyingKey::from(self.0).verify(payload, &read).map_err(|_| Refusal::NotTheKeys)?;
        let Payload { critical } = serde_json::from_slice(payload)
            .map_err(|error| Refusal::NotOverAnImage(brief(&error.to_string())))?;
        if critical.kind != TYPE {
            return Err(Refusal::NotOverAnImage(format!(
                "its type is `{}`",
                brief(&critical.kind)
            )));
        }
        match critical.image.digest == image.to_string() {
            true => Ok(()),
            false => Err(Refusal::OtherImage(brief(&critical.image.digest))),
        }
    }
}

impl fmt::Display for PublicKey {
    /// `ECDSA P-256 key sha256:…`, with the digest of its DER form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ECDSA P-256 key {}", Digest::of(&self.der()))
    }
}

/// Checks the signature in a lock over the image that has the digest `image`, with the key
/// in the lock. Gives the key.
pub fn check(locked: &LockedSignature, image: Digest) -> Result<PublicKey, Refusal> {
    let key = PublicKey::from_lock(&locked.key).ok_or(Refusal::Unreadable("key"))?;
    let payload = STANDARD.decode(&locked.payload).map_err(|_| Refusal::Unreadable("payload"))?;
    key.check(&payload, &locked.signature, image)?;
    Ok(key)
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

#[cfg(test)]
mod tests;
