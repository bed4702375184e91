//! The promise of a log of certificates to keep a certificate (RFC 6962, 3.2 and 3.3). So
//! everybody can see which certificates an authority gave.

use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};
use x509_cert::der::asn1::{Any, OctetStringRef};
use x509_cert::der::{Decode, Encode, Tag, TagNumber};
use x509_cert::ext::Extension;
use x509_cert::spki::ObjectIdentifier;

use super::certificate::Certificate;
use super::trusted_root::TrustedRoot;
use crate::image::refusal::Refusal;

/// The extension with the promises.
const PROMISES: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.4.2");
/// The first version of a promise, and what it is: about a certificate.
const KIND: [u8; 2] = [0, 0];
/// The promise is about a certificate that lacked the promise.
const BEFORE: [u8; 2] = [0, 1];
/// ECDSA with SHA-256 (RFC 5246, 7.4.1.4.1).
const ECDSA_SHA256: [u8; 2] = [4, 3];

/// Checks that one of the logs of `root` has promised to keep this certificate. The key `issuer`
/// signed it. A root without such logs asks for no promise.
pub(super) fn check(
    certificate: &Certificate,
    issuer: &[u8],
    root: &TrustedRoot,
) -> Result<(), Refusal> {
    if root.certificate_logs.is_empty() {
        return Ok(());
    }
    let counts = |promise: &Promise| {
        let mut logs = root.certificate_logs.iter();
        let bytes = promise.signed(certificate, issuer);
        bytes.is_some_and(|bytes| {
            logs.any(|log| {
                log.id.hex() == hex::encode(promise.log)
                    && log.valid.at(promise.time())
                    && log.key.signed(&bytes, promise.signature)
            })
        })
    };
    let promises = certificate.extension(PROMISES).and_then(promises).unwrap_or_default();
    match promises.iter().any(counts) {
        true => Ok(()),
        false => Err(Refusal::CertificateNotLogged),
    }
}

/// A promise: a "signed certificate timestamp".
struct Promise<'a> {
    log: &'a [u8],
    /// Milliseconds after 1970, as eight bytes.
    time: [u8; 8],
    extensions: &'a [u8],
    signature: &'a [u8],
}

/// All that are in the extension; none if it is broken.
fn promises(extension: &[u8]) -> Option<Vec<Promise<'_>>> {
    let (mut list, rest) = short(<&OctetStringRef>::from_der(extension).ok()?.as_bytes())?;
    if !rest.is_empty() {
        return None;
    }
    let mut all = Vec::new();
    while !list.is_empty() {
        let (own, rest) = short(list)?;
        // Those of a later version are left out.
        if own.first() == Some(&0) {
            all.push(promise(own)?);
        }
        list = rest;
    }
    Some(all)
}

fn promise(text: &[u8]) -> Option<Promise<'_>> {
    let (_version, rest) = text.split_first()?;
    let (log, rest) = rest.split_at_checked(32)?;
    let (time, rest) = rest.split_first_chunk::<8>()?;
    let (extensions, rest) = short(rest)?;
    let signature = rest.strip_prefix(&ECDSA_SHA256)?;
    let (signature, rest) = short(signature)?;
    rest.is_empty().then_some(Promise { log, time: *time, extensions, signature })
}

/// What two bytes of length say, and what is behind it.
fn short(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

impl Promise<'_> {
    fn time(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(u64::from_be_bytes(self.time))
    }

    /// The bytes that the log signed.
    fn signed(&self, certificate: &Certificate, issuer: &[u8]) -> Option<Vec<u8>> {
        let part = without_promises(certificate)?;
        let length = u32::try_from(part.len()).ok()?.to_be_bytes();
        let extensions = u16::try_from(self.extensions.len()).ok()?.to_be_bytes();
        let issuer = Sha256::digest(issuer);
        let all: [&[u8]; 8] = [
            &KIND,
            &self.time,
            &BEFORE,
            &issuer,
            length.get(1..)?,
            &part,
            &extensions,
            self.extensions,
        ];
        Some(all.concat())
    }
}

/// What the authority signed, as it was before the promises were in it.
fn without_promises(certificate: &Certificate) -> Option<Vec<u8>> {
    let tag = Tag::ContextSpecific { constructed: true, number: TagNumber(3) };
    let mut fields = Vec::<Any>::from_der(&certificate.signed_part()?.to_der().ok()?).ok()?;
    let last = fields.last_mut().filter(|last| last.header().tag() == tag)?;
    let mut extensions = Vec::<Extension>::from_der(last.value()).ok()?;
    extensions.retain(|own| own.extn_id != PROMISES);
    *last = Any::new(tag, extensions.to_der().ok()?).ok()?;
    fields.to_der().ok()
}
