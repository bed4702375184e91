//! Rekor's entry of a signature (sigstore/rekor, `pkg/types/hashedrekord`), and its promise to
//! keep it. Cosign carries both in an annotation (`dev.sigstore.cosign/bundle`).

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bundle_format::digest::Digest;
use bundle_format::lock::LockedLogEntry;
use serde::Deserialize;

use super::certificate::Certificate;
use super::log_body;
use crate::image::payload::Payload;
use crate::image::public_key::{PublicKey, signature};
use crate::image::refusal::Refusal;

/// The longest entry, in characters of base64. Real ones have 3,000.
const MAX_BODY: usize = 64 << 10;
/// The year 10000: dates are shown with four digits, and a `SystemTime` has an end too.
const END_OF_TIME: u64 = 253_402_300_800;

/// Reads cosign's annotation.
pub(in crate::image) fn read(annotation: &str) -> Result<LockedLogEntry, Refusal> {
    let given: Given =
        serde_json::from_str(annotation).map_err(|_| Refusal::Unreadable("log's entry"))?;
    let Entry { body, integrated_time, log_index, log_id } = given.payload;
    if body.len() > MAX_BODY {
        return Err(Refusal::Unreadable("log's entry"));
    }
    let promise = given.signed_entry_timestamp;
    Ok(LockedLogEntry { log: log_id, index: log_index, time: integrated_time, body, promise })
}

/// When the log got the signature.
pub(super) fn time(own: &LockedLogEntry) -> Result<SystemTime, Refusal> {
    match own.time < END_OF_TIME {
        true => Ok(SystemTime::UNIX_EPOCH + Duration::from_secs(own.time)),
        false => Err(Refusal::Unreadable("log's entry")),
    }
}

/// Checks that the log with this key signed the entry, its number and its time.
pub(super) fn check(own: &LockedLogEntry, key: &PublicKey) -> Result<(), Refusal> {
    let promise = signature(&own.promise).ok_or(Refusal::Unreadable("log's promise"))?;
    match key.signed(signed(own).as_bytes(), &promise) {
        true => Ok(()),
        false => Err(Refusal::NotTheLogs),
    }
}

/// What the log signs: canonical JSON (RFC 8785). The texts are base64 and hex, which need no
/// escapes: the log would not have signed others.
fn signed(LockedLogEntry { log, index, time, body, .. }: &LockedLogEntry) -> String {
    format!(r#"{{"body":"{body}","integratedTime":{time},"logID":"{log}","logIndex":{index}}}"#)
}

/// Checks that an entry, which its log signed, is about this payload, signature and certificate.
pub(super) fn is_about(
    own: &LockedLogEntry,
    payload: &Payload,
    made: &[u8],
    certificate: &Certificate,
) -> Result<(), Refusal> {
    let body = STANDARD.decode(&own.body).ok();
    let body = body.ok_or(Refusal::Unreadable("log's entry"))?;
    let logged = log_body::read(&body, payload.kind.is_some())?;
    if logged.payload != Digest::of(&payload.bytes).hex() {
        return Err(Refusal::OtherEntry("payload"));
    }
    if signature(&logged.signature).is_none_or(|own| own != made) {
        return Err(Refusal::OtherEntry("signature"));
    }
    let signer = STANDARD.decode(&logged.certificate).ok();
    let signer = signer.and_then(|pem| Certificate::from_pem(&pem).ok());
    match signer.is_some_and(|own| own.der() == certificate.der()) {
        true => Ok(()),
        false => Err(Refusal::OtherEntry("certificate")),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Given {
    signed_entry_timestamp: String,
    payload: Entry,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    body: String,
    integrated_time: u64,
    log_index: u64,
    #[serde(rename = "logID")]
    log_id: String,
}
