//! Sigstore's bundle: a signature and all that proves it, in one JSON, as cosign 3 writes it
//! (sigstore/protobuf-specs, `sigstore_bundle.proto`, in protobuf's JSON).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bundle_format::lock::LockedLogEntry;
use bundle_format::text::brief;
use serde::Deserialize;

use super::found::Found;
use super::payload::Payload;
use super::refusal::Refusal;

/// The largest bundle, in bytes. Cosign's have 10,000 at most.
pub const MAX_BUNDLE: u64 = 256 << 10;
/// How the media types of bundles begin.
pub(super) const TYPE: &str = "application/vnd.dev.sigstore.bundle";
/// The media types of the version that is read, as cosign writes it and as it was before.
pub(super) const READ: [&str; 2] = [
    "application/vnd.dev.sigstore.bundle.v0.3+json",
    "application/vnd.dev.sigstore.bundle+json;version=0.3",
];

/// Reads a bundle. Nothing of it is checked yet.
pub fn read(json: &[u8]) -> Result<Found, Refusal> {
    let wrong = |why: String| Refusal::Bundle(brief(&why));
    // First its version: another one may have other fields.
    let Typed { media_type } =
        serde_json::from_slice(json).map_err(|error| wrong(error.to_string()))?;
    if !READ.contains(&&*media_type) {
        return Err(wrong(format!("its `mediaType` is `{media_type}`, and only 0.3 is read")));
    }
    let Bundle { verification_material, dsse_envelope } =
        serde_json::from_slice(json).map_err(|error| wrong(error.to_string()))?;
    let Some(Envelope { payload, payload_type, signatures }) = dsse_envelope else {
        return Err(wrong("it has no `dsseEnvelope`, as cosign gives images".to_owned()));
    };
    let [Signature { sig }] = signatures;
    let bytes = STANDARD.decode(payload).map_err(|_| Refusal::Unreadable("payload"))?;
    let Material { certificate, tlog_entries } = verification_material;
    let certificate = certificate.ok_or(Refusal::NoCertificate).and_then(|own| {
        STANDARD.decode(own.raw_bytes).map_err(|_| Refusal::Unreadable("certificate"))
    });
    Ok(Found {
        payload: Payload { kind: Some(payload_type), bytes },
        signature: sig,
        certificate,
        entry: tlog_entries.into_iter().next().ok_or(Refusal::NotLogged).and_then(entry),
    })
}

fn entry(own: LogEntry) -> Result<LockedLogEntry, Refusal> {
    let promise = own.inclusion_promise.ok_or(Refusal::NoPromise)?.signed_entry_timestamp;
    let unreadable = || Refusal::Unreadable("log's entry");
    let number = |text: &str| text.parse().map_err(|_| unreadable());
    Ok(LockedLogEntry {
        log: hex::encode(STANDARD.decode(own.log_id.key_id).map_err(|_| unreadable())?),
        index: number(&own.log_index)?,
        time: number(&own.integrated_time)?,
        body: own.canonicalized_body,
        promise,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Typed {
    media_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    verification_material: Material,
    dsse_envelope: Option<Envelope>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    certificate: Option<Certificate>,
    #[serde(default)]
    tlog_entries: Vec<LogEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Certificate {
    raw_bytes: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: [Signature; 1],
}

#[derive(Deserialize)]
struct Signature {
    sig: String,
}

/// Protobuf's JSON has large numbers as texts, and leaves out what is zero.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogEntry {
    #[serde(default = "zero")]
    log_index: String,
    log_id: LogId,
    #[serde(default = "zero")]
    integrated_time: String,
    inclusion_promise: Option<Promise>,
    canonicalized_body: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogId {
    key_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Promise {
    signed_entry_timestamp: String,
}

fn zero() -> String {
    "0".to_owned()
}

#[cfg(test)]
mod tests;
