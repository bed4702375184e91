//! A signer's certificate, as Fulcio gives it (sigstore/fulcio, `docs/certificate-specification.md`
//! and `docs/oid-info.md`).

use std::time::SystemTime;

use bundle_format::text::is_hidden;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_cert::der::asn1::{Any, Utf8StringRef};
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::spki::ObjectIdentifier;

use super::validity::Validity;
use crate::image::refusal::Refusal;

/// The largest certificate, in bytes. Real ones have 1,000.
const MAX: usize = 16 << 10;
/// The longest identity or issuer, in bytes.
const MAX_NAME: usize = 1024;
/// Who knows the identity: a text of ASN.1.
const ISSUER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.8");
/// The same as bare bytes, which older certificates have alone.
const OLD_ISSUER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.1");

/// A certificate.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    der: Vec<u8>,
    parsed: x509_cert::Certificate,
}

impl Certificate {
    pub(super) fn from_der(der: Vec<u8>) -> Result<Self, Refusal> {
        let short = Some(&der).filter(|der| der.len() <= MAX);
        let parsed = short.and_then(|der| x509_cert::Certificate::from_der(der).ok());
        Ok(Self { parsed: parsed.ok_or(Refusal::Unreadable("certificate"))?, der })
    }

    /// The first one of a PEM text.
    pub(super) fn from_pem(text: &[u8]) -> Result<Self, Refusal> {
        let der = CertificateDer::from_pem_slice(text);
        Self::from_der(der.map_err(|_| Refusal::Unreadable("certificate"))?.to_vec())
    }

    pub(super) fn der(&self) -> &[u8] {
        &self.der
    }

    /// Its key, as DER.
    pub(super) fn key(&self) -> Vec<u8> {
        let key = self.parsed.tbs_certificate().subject_public_key_info();
        key.to_der().unwrap_or_default()
    }

    pub(super) fn validity(&self) -> Validity {
        let own = self.parsed.tbs_certificate().validity();
        let (from, until) = (own.not_before.to_system_time(), own.not_after.to_system_time());
        Validity { from: Some(from), until: Some(until) }
    }

    /// Whether it was valid when the log got the signature.
    pub(super) fn check_time(&self, logged: SystemTime) -> Result<(), Refusal> {
        match self.validity() {
            Validity { from: Some(from), until: Some(until) } if !self.validity().at(logged) => {
                Err(Refusal::OutsideItsTime { logged, from, until })
            }
            _ => Ok(()),
        }
    }

    /// Whose it is: the one e-mail address or URI that it names.
    pub(super) fn identity(&self) -> Result<String, Refusal> {
        let names = self.extension(SubjectAltName::OID).ok_or(Refusal::NoIdentity)?;
        let names = SubjectAltName::from_der(names).map_err(|_| Refusal::NoIdentity)?;
        let (text, is_uri) = match &names.0[..] {
            [GeneralName::Rfc822Name(text)] => (text.as_str(), false),
            [GeneralName::UniformResourceIdentifier(text)] => (text.as_str(), true),
            _ => return Err(Refusal::NoIdentity),
        };
        // A text of one kind must not pass for one of the other.
        let own = Some(text).filter(|text| text.contains("://") == is_uri);
        own.and_then(plain).ok_or(Refusal::NoIdentity)
    }

    /// Who knew that.
    pub(super) fn issuer(&self) -> Result<String, Refusal> {
        let new = self.extension(ISSUER).map(|der| Utf8StringRef::from_der(der).ok());
        let text = match &new {
            Some(text) => text.as_ref().map(Utf8StringRef::as_str),
            None => self.extension(OLD_ISSUER).and_then(|own| str::from_utf8(own).ok()),
        };
        text.and_then(plain).ok_or(Refusal::NoIssuer)
    }

    /// The bytes of the extension `id`; none if there is none, or several.
    pub(super) fn extension(&self, id: ObjectIdentifier) -> Option<&[u8]> {
        let all = self.parsed.tbs_certificate().extensions().into_iter().flatten();
        let mut own = all.filter(|extension| extension.extn_id == id);
        let first = own.next()?;
        own.next().is_none().then(|| first.extn_value.as_bytes())
    }

    /// The bytes that the authority signed.
    pub(super) fn signed_part(&self) -> Option<Any> {
        Vec::<Any>::from_der(&self.der).ok()?.into_iter().next()
    }
}

/// A name that can stand in a line, with nothing hidden in it.
fn plain(text: &str) -> Option<String> {
    let fits = (1..=MAX_NAME).contains(&text.len()) && !text.contains(is_hidden);
    fits.then(|| text.to_owned())
}
