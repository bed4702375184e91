//! Keys that cosign's signatures are checked with: ECDSA on the curve P-256.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bundle_format::digest::Digest;
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::pkcs8::{DecodePublicKey, EncodePublicKey};

/// The longest signature, in characters of base64. Real ones have 96.
const MAX_SIGNATURE: usize = 1024;

/// A key that signatures are checked with, as `cosign generate-key-pair` makes it.
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

impl PublicKey {
    /// Reads a PEM file.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        if text.contains("PRIVATE KEY") {
            return Err(KeyError::Private);
        }
        p256::PublicKey::from_public_key_pem(text.trim()).map(Self).map_err(|_| KeyError::Unknown)
    }

    /// Reads a `SubjectPublicKeyInfo` (RFC 5280), of which a PEM file is the base64.
    pub(super) fn from_der(der: &[u8]) -> Option<Self> {
        p256::PublicKey::from_public_key_der(der).map(Self).ok()
    }

    /// The same bytes as `openssl pkey -pubin -outform DER` writes.
    pub(super) fn der(&self) -> Vec<u8> {
        // Any key on the curve has this form.
        self.0.to_public_key_der().map(|der| der.as_bytes().to_vec()).unwrap_or_default()
    }

    /// Whether it made `signature`, which is in DER, over `bytes`.
    pub(super) fn signed(&self, bytes: &[u8], signature: &[u8]) -> bool {
        let signature = Signature::from_der(signature);
        signature.is_ok_and(|own| VerifyingKey::from(self.0).verify(bytes, &own).is_ok())
    }
}

impl fmt::Display for PublicKey {
    /// `ECDSA P-256 key sha256:…`, with the digest of its DER form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ECDSA P-256 key {}", Digest::of(&self.der()))
    }
}

/// The DER of a signature, which is in base64; none if it is not one of ECDSA's on P-256.
pub(super) fn signature(text: &str) -> Option<Vec<u8>> {
    let short = Some(text.trim()).filter(|text| text.len() <= MAX_SIGNATURE)?;
    let der = STANDARD.decode(short).ok()?;
    Signature::from_der(&der).is_ok().then_some(der)
}

#[cfg(test)]
mod tests;
