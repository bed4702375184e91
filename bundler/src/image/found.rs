//! A signature as a registry has it, in any of cosign's forms.

use bundle_format::lock::LockedLogEntry;

use super::keyless;
use super::payload::Payload;
use super::refusal::Refusal;

/// A signature as a registry has it. Nothing of it is checked yet.
#[derive(Debug)]
pub struct Found {
    pub(super) payload: Payload,
    /// In base64.
    pub(super) signature: String,
    /// The DER of the signer's certificate.
    pub(super) certificate: Result<Vec<u8>, Refusal>,
    /// The log's entry. A signature by a key has no certificate and no entry.
    pub(super) entry: Result<LockedLogEntry, Refusal>,
}

impl Found {
    /// Of cosign 2: a payload and the annotations of its layer, which are the signature in
    /// base64, the certificate as a PEM text, and the log's entry as JSON.
    pub fn annotated(
        payload: Vec<u8>,
        signature: &str,
        certificate: Option<&str>,
        entry: Option<&str>,
    ) -> Self {
        Self {
            payload: Payload { kind: None, bytes: payload },
            signature: signature.trim().to_owned(),
            certificate: certificate.ok_or(Refusal::NoCertificate).and_then(keyless::certificate),
            entry: entry.ok_or(Refusal::NotLogged).and_then(keyless::entry),
        }
    }
}
