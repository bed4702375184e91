//! Why a signature over an image does not count.

use std::time::SystemTime;

use bundle_format::day::day;
use httpdate::fmt_http_date;

use super::payload::PayloadError;

/// Why a signature over an image does not count.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// One of its texts is not what it must be.
    #[error("its {0} cannot be read")]
    Unreadable(&'static str),
    /// Another key made it, or the payload was changed afterwards.
    #[error("it is not over this payload, or another key made it")]
    NotTheKeys,
    /// The payload is about something else.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// A key made it, and an identity is wanted.
    #[error("it has no certificate: a key made it")]
    NoCertificate,
    /// It has a certificate, and nobody knows when it was made.
    #[error("no log has it, so nobody knows whether its certificate was still valid")]
    NotLogged,
    /// The log gave no promise, which is what says when it got the signature.
    #[error(
        "its log gave no promise that has a time, as version 2 of Rekor gives none: timestamps of \
         other authorities are not read"
    )]
    NoPromise,
    /// It is in a bundle of Sigstore's that has another form.
    #[error("its Sigstore bundle cannot be used: {0}")]
    Bundle(String),
    /// The certificate does not say whose it is.
    #[error("its certificate names nobody: it has neither one e-mail address nor one URI")]
    NoIdentity,
    /// The certificate does not say who knew whose it is.
    #[error("its certificate names no issuer, so nobody says that the identity is true")]
    NoIssuer,
    /// The certificate is another one's.
    #[error("{0} made it")]
    OtherIdentity(String),
    /// Another issuer says who made it.
    #[error("{0} says who made it")]
    OtherIssuer(String),
    /// The trusted root does not know who gave the certificate.
    #[error("no authority of the trusted root gave its certificate")]
    OtherAuthority,
    /// The trusted root's authorities were not valid then.
    #[error("the log got it on {}, when no authority of the trusted root was valid", day(*.0))]
    NoAuthorityThen(SystemTime),
    /// The certificate was not valid when the log got the signature.
    #[error(
        "the log got it at {}, and its certificate is valid from {} to {}",
        fmt_http_date(*.logged), fmt_http_date(*.from), fmt_http_date(*.until)
    )]
    OutsideItsTime {
        /// When the log got it.
        logged: SystemTime,
        /// The first second of the certificate's validity.
        from: SystemTime,
        /// The last second of the certificate's validity.
        until: SystemTime,
    },
    /// No log of certificates promised to keep the certificate.
    #[error("its certificate is in no log of certificates that the trusted root names")]
    CertificateNotLogged,
    /// The trusted root does not know the log.
    #[error("its log is not one of the trusted root's: {0}")]
    OtherLog(String),
    /// The entry was changed, or the log never had it.
    #[error("its log did not sign this entry")]
    NotTheLogs,
    /// The entry is about another signature.
    #[error("the log's entry is about another {0}")]
    OtherEntry(&'static str),
    /// The trusted root in the lock cannot be read.
    #[error("its trusted root cannot be used: {0}")]
    Root(String),
}
