//! Signatures of cosign's over images. Each is whole here, so that it can be checked again
//! without a network: a payload has 300 bytes, a certificate 1,000, a log's entry 3,000.

use serde::{Deserialize, Serialize};

/// A signature of cosign's over an image.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LockedSignature {
    /// By a key that its owner keeps.
    Key(KeySignature),
    /// By somebody who showed for a moment who he is, and keeps no key.
    Identity(Box<IdentitySignature>),
}

/// A signature by a key that its owner keeps.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeySignature {
    /// The key's file, as the spec names it.
    pub key_file: String,
    /// The key's `SubjectPublicKeyInfo` (RFC 5280) in base64: its PEM file without the lines
    /// around it.
    pub key: String,
    /// The payload's type, if it was signed in an envelope (DSSE), as cosign 3 does. Left out: its
    /// bytes alone were signed, as cosign 2 does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_type: Option<String>,
    /// What was signed, in base64. It is JSON, and names the digest of the image's root.
    pub payload: String,
    /// The signature over the payload's bytes, or over those of the envelope, in base64.
    pub signature: String,
}

/// A signature by an identity. An authority gave it a certificate for a few minutes, and a log
/// that everybody can read says when the signature was there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IdentitySignature {
    /// Who signed, as the certificate says: an e-mail address or a URI.
    pub identity: String,
    /// Who knew that, as the certificate says: the URL of an OpenID Connect issuer.
    pub issuer: String,
    /// The certificate's DER (RFC 5280) in base64: its PEM file without the lines around it.
    pub certificate: String,
    /// The payload's type, if it was signed in an envelope (DSSE), as cosign 3 does. Left out: its
    /// bytes alone were signed, as cosign 2 does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_type: Option<String>,
    /// What was signed, in base64. It is JSON, and names the digest of the image's root.
    pub payload: String,
    /// The signature over the payload's bytes, or over those of the envelope, in base64.
    pub signature: String,
    /// The log's entry.
    pub logged: LockedLogEntry,
    /// The trusted root that the spec names, in base64. Left out: that of Sigstore's public
    /// instance, which the bundler has in itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
}

/// An entry of Rekor's log, with the log's promise to keep it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LockedLogEntry {
    /// The log: the SHA-256 of its key's DER, in hex.
    pub log: String,
    /// The entry's number in the log.
    pub index: u64,
    /// When the log got it, in seconds after 1970.
    pub time: u64,
    /// The entry, in base64. It is JSON, and names the payload's digest, the signature and the
    /// certificate.
    pub body: String,
    /// The log's signature over all that, in base64: the "signed entry timestamp".
    pub promise: String,
}
