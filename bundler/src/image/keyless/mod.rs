//! Cosign's signatures without a key of the signer's own ("keyless"). An authority, Fulcio,
//! gives a signer whose identity an issuer knows a certificate for ten minutes. He signs, and a
//! public log, Rekor, says when it got the signature. So everything can be checked later,
//! without a network: the certificate's validity is that at the log's time
//! (docs.sigstore.dev, "Verifying Signatures"; sigstore/cosign, `specs/SIGNATURE_SPEC.md`).
//!
//! `sigstore-verify` 0.15 does the same for Sigstore's bundles. It takes cosign 2's signatures
//! only if its check of the log is off, and brings 19 crates and a second library of
//! cryptography. The rules are the same here.

mod authority;
mod certificate;
mod certificate_log;
mod log_body;
mod log_entry;
mod trusted_root;
mod validity;

use std::fmt;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bundle_format::day::day;
use bundle_format::digest::Digest;
use bundle_format::lock::{IdentitySignature, LockedLogEntry};

use self::certificate::Certificate;
pub(super) use self::log_entry::read as entry;
pub use self::trusted_root::{MAX_ROOT, RootError, TrustedRoot};
use super::payload::Payload;
use super::public_key::{PublicKey, signature};
use super::refusal::Refusal;

/// Who made a signature that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Who: an e-mail address or a URI.
    pub identity: String,
    /// Who says so: the URL of an OpenID Connect issuer.
    pub issuer: String,
    /// When the log got the signature.
    pub logged: SystemTime,
    /// The digest of the trusted root in the lock; none if it is the public one.
    pub root: Option<Digest>,
}

impl Signed {
    /// The identity and who knows it, without the time: `a@b.example, as https://… says`.
    pub fn signer(&self) -> String {
        let root = self.root.map(|own| format!(", by the trusted root {own}"));
        format!("{}, as {} says{}", self.identity, self.issuer, root.unwrap_or_default())
    }
}

impl fmt::Display for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, logged on {}", self.signer(), day(self.logged))
    }
}

/// The DER of the first certificate in a PEM text.
pub(super) fn certificate(pem: &str) -> Result<Vec<u8>, Refusal> {
    Ok(Certificate::from_pem(pem.as_bytes())?.der().to_vec())
}

/// Makes the lock's entry of a signature as a registry has it, with the certificate's own words
/// for who made it. Nothing is checked yet.
pub(super) fn read(
    payload: Payload,
    signature: String,
    certificate: Vec<u8>,
    logged: LockedLogEntry,
    root: Option<&TrustedRoot>,
) -> Result<IdentitySignature, Refusal> {
    let certificate = Certificate::from_der(certificate)?;
    Ok(IdentitySignature {
        identity: certificate.identity()?,
        issuer: certificate.issuer()?,
        certificate: STANDARD.encode(certificate.der()),
        payload_type: payload.kind,
        payload: STANDARD.encode(payload.bytes),
        signature,
        logged,
        root: root.map(|own| STANDARD.encode(own.text())),
    })
}

/// Checks a signature over the image that has the digest `image`, with all that the lock has.
pub(super) fn check(own: &IdentitySignature, image: Digest) -> Result<Signed, Refusal> {
    let in_lock = own.root.as_deref().map(of_lock).transpose()?;
    let root = in_lock.as_ref().unwrap_or_else(|| TrustedRoot::public());
    let certificate = STANDARD.decode(&own.certificate);
    let certificate = certificate.map_err(|_| Refusal::Unreadable("certificate"))?;
    let certificate = Certificate::from_der(certificate)?;
    let payload = Payload::of_lock(own.payload_type.as_ref(), &own.payload);
    let payload = payload.ok_or(Refusal::Unreadable("payload"))?;
    let made = signature(&own.signature).ok_or(Refusal::Unreadable("signature"))?;

    // First when it was made, because all certificates are judged by that time.
    let logged = log_entry::time(&own.logged)?;
    log_entry::check(&own.logged, root.log(&own.logged.log, logged)?)?;
    log_entry::is_about(&own.logged, &payload, &made, &certificate)?;
    certificate.check_time(logged)?;
    let issuer_key = root.issuer_of(&certificate, logged)?;
    certificate_log::check(&certificate, &issuer_key, root)?;
    let key = PublicKey::from_der(&certificate.key()).ok_or(Refusal::Unreadable("key"))?;
    if !key.signed(&payload.signed(), &made) {
        return Err(Refusal::NotTheKeys);
    }
    payload.check(image)?;

    let (identity, issuer) = (certificate.identity()?, certificate.issuer()?);
    if (&identity, &issuer) != (&own.identity, &own.issuer) {
        return Err(Refusal::OtherIdentity(format!("{identity}, as {issuer} says,")));
    }
    Ok(Signed { identity, issuer, logged, root: in_lock.map(|own| own.digest()) })
}

/// The trusted root in a lock.
fn of_lock(text: &str) -> Result<TrustedRoot, Refusal> {
    let bytes = STANDARD.decode(text).map_err(|_| Refusal::Unreadable("trusted root"))?;
    TrustedRoot::parse(&bytes).map_err(|error| Refusal::Root(error.to_string()))
}

#[cfg(test)]
mod tests;
