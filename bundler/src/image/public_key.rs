//! Keys that cosign's signatures, and its logs, are checked with.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bundle_format::digest::Digest;
use ed25519_dalek::{Digest as _, Sha512, Signature, VerifyingKey};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{SignatureVerificationAlgorithm, SubjectPublicKeyInfoDer};
use webpki::ring::{
    ECDSA_P256_SHA256, ECDSA_P384_SHA256, ECDSA_P384_SHA384, ED25519, RSA_PKCS1_2048_8192_SHA256,
};
use x509_cert::der::asn1::Any;
use x509_cert::der::{Decode, Encode};
use x509_cert::spki::SubjectPublicKeyInfoOwned;

/// The ways in which a kind of key signs.
type Ways = &'static [&'static dyn SignatureVerificationAlgorithm];

/// The kinds of keys, as cosign uses them (sigstore/sigstore, `pkg/signature`): with SHA-256,
/// except for Ed25519. Cosign 3 has SHA-384 for P-384, and Ed25519ph.
const KINDS: [(&str, Ways); 4] = [
    ("ECDSA P-256", &[ECDSA_P256_SHA256]),
    ("ECDSA P-384", &[ECDSA_P384_SHA256, ECDSA_P384_SHA384]),
    (ED25519_KIND, &[ED25519]),
    ("RSA", &[RSA_PKCS1_2048_8192_SHA256]),
];
/// The kind that cosign 3 uses in another way: `Ed25519ph`.
const ED25519_KIND: &str = "Ed25519";
/// The longest signature, in characters of base64. Those of ECDSA have 96, of RSA with 8192
/// bits 1368.
const MAX_SIGNATURE: usize = 1368;

/// A key that signatures are checked with, as `cosign generate-key-pair` makes it.
#[derive(Clone)]
pub struct PublicKey {
    /// Its `SubjectPublicKeyInfo` (RFC 5280).
    der: Vec<u8>,
    /// The key in it.
    bits: Vec<u8>,
    kind: &'static str,
    ways: Ways,
}

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
         curves P-256 or P-384, Ed25519 or RSA, such as the `cosign.pub` of `cosign \
         generate-key-pair`"
    )]
    Unknown,
}

impl PublicKey {
    /// Reads a PEM file.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        if text.contains("PRIVATE KEY") {
            return Err(KeyError::Private);
        }
        let der = SubjectPublicKeyInfoDer::from_pem_slice(text.as_bytes()).ok();
        der.and_then(|der| Self::from_der(&der)).ok_or(KeyError::Unknown)
    }

    /// Reads a `SubjectPublicKeyInfo` (RFC 5280), of which a PEM file is the base64.
    pub(super) fn from_der(der: &[u8]) -> Option<Self> {
        let parsed = SubjectPublicKeyInfoOwned::from_der(der).ok()?;
        let own = Any::from_der(&parsed.algorithm.to_der().ok()?).ok()?;
        let mut kinds = KINDS.into_iter();
        let is_own = |(_, ways): &(_, Ways)| {
            ways.iter().any(|way| way.public_key_alg_id().as_ref() == own.value())
        };
        let (kind, ways) = kinds.find(is_own)?;
        let bits = parsed.subject_public_key.as_bytes()?.to_vec();
        Some(Self { der: der.to_vec(), bits, kind, ways })
    }

    /// The same bytes as `openssl pkey -pubin -outform DER` writes.
    pub(super) fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whether it made `signature` over `bytes`.
    pub(super) fn signed(&self, bytes: &[u8], signature: &[u8]) -> bool {
        let plain = |way: &&dyn SignatureVerificationAlgorithm| {
            way.verify_signature(&self.bits, bytes, signature).is_ok()
        };
        self.ways.iter().any(plain)
            || self.kind == ED25519_KIND && signed_hash(&self.bits, bytes, signature)
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for PublicKey {
    /// `ECDSA P-256 key sha256:…`, with the digest of its DER form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} key {}", self.kind, Digest::of(&self.der))
    }
}

/// Whether a key of Ed25519 signed the hash of `bytes` (RFC 8032, 5.1: Ed25519ph).
fn signed_hash(bits: &[u8], bytes: &[u8], signature: &[u8]) -> bool {
    let key = bits.try_into().ok().and_then(|bits| VerifyingKey::from_bytes(bits).ok());
    let made = Signature::from_slice(signature).ok();
    key.zip(made).is_some_and(|(key, made)| {
        key.verify_prehashed_strict(Sha512::new_with_prefix(bytes), None, &made).is_ok()
    })
}

/// The bytes of a signature, which is in base64; none if it is no signature.
pub(super) fn signature(text: &str) -> Option<Vec<u8>> {
    let text = Some(text.trim()).filter(|text| (1..=MAX_SIGNATURE).contains(&text.len()))?;
    STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests;
