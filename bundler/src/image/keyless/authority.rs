//! An authority that gives signers their certificates: Fulcio, or one like it.

use std::time::SystemTime;

use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::ring::{
    ECDSA_P256_SHA256, ECDSA_P256_SHA384, ECDSA_P384_SHA256, ECDSA_P384_SHA384, ED25519,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
};
use webpki::{EndEntityCert, Error, KeyUsage, anchor_from_trusted_cert};

use super::certificate::Certificate;
use super::validity::Validity;

/// The signatures over certificates that count.
const KINDS: &[&dyn rustls::pki_types::SignatureVerificationAlgorithm] = &[
    ECDSA_P256_SHA256,
    ECDSA_P256_SHA384,
    ECDSA_P384_SHA256,
    ECDSA_P384_SHA384,
    ED25519,
    RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512,
];
/// What a certificate must be for: signing code, 1.3.6.1.5.5.7.3.3 (RFC 5280, 4.2.1.12).
const CODE_SIGNING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 3];

/// An authority.
#[derive(Clone, Debug)]
pub(super) struct Authority {
    anchor: TrustAnchor<'static>,
    /// The certificates between a signer's and the anchor.
    between: Vec<CertificateDer<'static>>,
    /// When it and all its certificates are valid.
    valid: Validity,
}

/// Why a certificate is not one that the authority gave.
pub(super) enum NotIssued {
    /// It may have given it, but was not valid at that time.
    NotThen,
    /// It did not give it.
    Other,
}

impl Authority {
    /// Of its certificates as DER, its root the last. None if one cannot be read.
    pub(super) fn new(chain: Vec<Vec<u8>>, valid: Validity) -> Option<Self> {
        let certificates = chain.iter().map(|der| Certificate::from_der(der.clone()).ok());
        let certificates: Vec<_> = certificates.collect::<Option<_>>()?;
        let valid = certificates.iter().fold(valid, |valid, own| valid.and(own.validity()));
        let mut between: Vec<_> = chain.into_iter().map(CertificateDer::from).collect();
        let root = between.pop()?;
        let anchor = anchor_from_trusted_cert(&root).ok()?.to_owned();
        Some(Self { anchor, between, valid })
    }

    /// The key, as DER, that signed a certificate which was used at `time`.
    pub(super) fn issuer_of(
        &self,
        certificate: &Certificate,
        time: SystemTime,
    ) -> Result<Vec<u8>, NotIssued> {
        let der = CertificateDer::from(certificate.der());
        let signer = EndEntityCert::try_from(&der).map_err(|_| NotIssued::Other)?;
        let since = time.duration_since(SystemTime::UNIX_EPOCH).map_err(|_| NotIssued::NotThen)?;
        let path = signer.verify_for_usage(
            KINDS,
            std::slice::from_ref(&self.anchor),
            &self.between,
            UnixTime::since_unix_epoch(since),
            KeyUsage::required(CODE_SIGNING),
            None,
            None,
        );
        match path {
            Ok(path) if self.valid.at(time) => Ok(path.issuer_spki().to_vec()),
            Ok(_) | Err(Error::CertExpired { .. } | Error::CertNotValidYet { .. }) => {
                Err(NotIssued::NotThen)
            }
            Err(_) => Err(NotIssued::Other),
        }
    }
}
