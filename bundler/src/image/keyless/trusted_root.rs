//! Whom an identity's signatures are trusted by: authorities that give certificates, logs, and
//! logs of certificates. Sigstore publishes its own as `trusted_root.json`
//! (sigstore/protobuf-specs, `sigstore_trustroot.proto`).

use std::sync::LazyLock;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bundle_format::digest::Digest;
use bundle_format::text::brief;
use serde::Deserialize;

use super::authority::{Authority, NotIssued};
use super::certificate::Certificate;
use super::validity::{Given, Validity};
use crate::image::public_key::PublicKey;
use crate::image::refusal::Refusal;

/// The largest file of a trusted root, in bytes. Sigstore's has 8,000.
pub const MAX_ROOT: u64 = 64 << 10;
/// What such a file says that it is, without its version.
const TYPE: &str = "application/vnd.dev.sigstore.trustedroot";

/// The root of Sigstore's public instance, as the crate `sigstore-trust-root` 0.15.1 has it from
/// Sigstore's TUF repository. `tests` compares the digest of its keys.
static PUBLIC: LazyLock<Result<TrustedRoot, RootError>> =
    LazyLock::new(|| TrustedRoot::parse(include_bytes!("trusted_root.json")));
/// What stands in for it if it could not be read, which a test excludes: it trusts nobody.
static NOBODY: TrustedRoot = TrustedRoot {
    text: Vec::new(),
    authorities: Vec::new(),
    logs: Vec::new(),
    certificate_logs: Vec::new(),
};

/// Whom an identity's signatures are trusted by.
#[derive(Clone, Debug)]
pub struct TrustedRoot {
    text: Vec<u8>,
    authorities: Vec<Authority>,
    logs: Vec<Log>,
    /// If there are none, certificates need not be logged: private instances may have no such
    /// log.
    pub(super) certificate_logs: Vec<Log>,
}

/// A log, whose key signs what it keeps.
#[derive(Clone, Debug)]
pub(super) struct Log {
    /// The SHA-256 of its key's DER.
    pub(super) id: Digest,
    pub(super) key: PublicKey,
    pub(super) valid: Validity,
}

/// Why a file is no trusted root.
#[derive(Debug, thiserror::Error)]
#[error("it is not a trusted root of Sigstore's: {0}; `cosign trusted-root create` writes one")]
pub struct RootError(String);

impl TrustedRoot {
    /// That of Sigstore's public instance.
    pub fn public() -> &'static Self {
        PUBLIC.as_ref().unwrap_or(&NOBODY)
    }

    /// Reads a `trusted_root.json`. Logs with keys of other kinds are left out.
    pub fn parse(text: &[u8]) -> Result<Self, RootError> {
        let wrong = |why: &str| RootError(why.to_owned());
        if text.len() as u64 > MAX_ROOT {
            return Err(wrong("it is too large"));
        }
        let document: Document =
            serde_json::from_slice(text).map_err(|error| wrong(&brief(&error.to_string())))?;
        if !document.media_type.starts_with(TYPE) {
            return Err(wrong(&format!("its `mediaType` is `{}`", brief(&document.media_type))));
        }
        let authorities = document.certificate_authorities.iter().map(GivenAuthority::read);
        let authorities: Option<Vec<_>> = authorities.collect();
        let authorities = authorities
            .ok_or_else(|| wrong("a certificate or a time of an authority is broken"))?;
        let logs = read(&document.tlogs).ok_or_else(|| wrong("a log is broken"))?;
        let certificate_logs =
            read(&document.ctlogs).ok_or_else(|| wrong("a log of certificates is broken"))?;
        if authorities.is_empty() {
            return Err(wrong("it has no `certificateAuthorities`"));
        }
        if logs.is_empty() {
            return Err(wrong("it has no log (`tlogs`) with a key of a known kind"));
        }
        // Without this, a certificate would have to be in no log at all.
        if certificate_logs.is_empty() && !document.ctlogs.is_empty() {
            return Err(wrong(
                "it has no log of certificates (`ctlogs`) with a key of a known kind",
            ));
        }
        Ok(Self { text: text.to_vec(), authorities, logs, certificate_logs })
    }

    /// The bytes of its file.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// The digest of its file, as `sha256sum` prints it.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.text)
    }

    /// The key of a log that was valid at `time`.
    pub(super) fn log(&self, id: &str, time: SystemTime) -> Result<&PublicKey, Refusal> {
        let own = self.logs.iter().find(|log| log.id.hex() == id && log.valid.at(time));
        own.map(|log| &log.key).ok_or_else(|| Refusal::OtherLog(brief(id)))
    }

    /// The key, as DER, of whoever gave a certificate, if that was an authority which was valid
    /// at `time`.
    pub(super) fn issuer_of(
        &self,
        certificate: &Certificate,
        time: SystemTime,
    ) -> Result<Vec<u8>, Refusal> {
        let mut why = Refusal::OtherAuthority;
        for authority in &self.authorities {
            match authority.issuer_of(certificate, time) {
                Ok(key) => return Ok(key),
                Err(NotIssued::NotThen) => why = Refusal::NoAuthorityThen(time),
                Err(NotIssued::Other) => {}
            }
        }
        Err(why)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    media_type: String,
    #[serde(default)]
    tlogs: Vec<GivenLog>,
    #[serde(default)]
    certificate_authorities: Vec<GivenAuthority>,
    #[serde(default)]
    ctlogs: Vec<GivenLog>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GivenLog {
    public_key: GivenKey,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GivenKey {
    raw_bytes: String,
    valid_for: Option<Given>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GivenAuthority {
    cert_chain: GivenChain,
    valid_for: Option<Given>,
}

#[derive(Deserialize)]
struct GivenChain {
    certificates: Vec<GivenCertificate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GivenCertificate {
    raw_bytes: String,
}

impl GivenAuthority {
    fn read(&self) -> Option<Authority> {
        let certificates = self.cert_chain.certificates.iter();
        let chain = certificates.map(|own| STANDARD.decode(&own.raw_bytes).ok());
        Authority::new(chain.collect::<Option<_>>()?, validity(self.valid_for.as_ref())?)
    }
}

/// The logs with keys of the kind that we know; none if one cannot be read.
fn read(given: &[GivenLog]) -> Option<Vec<Log>> {
    let mut logs = Vec::new();
    for GivenLog { public_key } in given {
        let der = STANDARD.decode(&public_key.raw_bytes).ok()?;
        let valid = validity(public_key.valid_for.as_ref())?;
        if let Some(key) = PublicKey::from_der(&der) {
            logs.push(Log { id: Digest::of(&der), key, valid });
        }
    }
    Some(logs)
}

fn validity(given: Option<&Given>) -> Option<Validity> {
    given.map_or(Some(Validity::default()), Given::read)
}
