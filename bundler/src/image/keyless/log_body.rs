//! What Rekor's entry of a signature says: of bare bytes (sigstore/rekor,
//! `pkg/types/hashedrekord`), or of an envelope (`pkg/types/dsse`).

use serde::Deserialize;
use serde_json::Value;

use crate::image::refusal::Refusal;

/// What an entry is about.
pub(super) struct Logged {
    /// The payload's SHA-256, in hex.
    pub(super) payload: String,
    /// The signature, in base64.
    pub(super) signature: String,
    /// The signer's certificate: base64 of a PEM text.
    pub(super) certificate: String,
}

/// Reads an entry about bare bytes, or about an envelope.
pub(super) fn read(body: &[u8], in_envelope: bool) -> Result<Logged, Refusal> {
    let unreadable = |_| Refusal::Unreadable("log's entry");
    let Body { kind, api_version, spec } = serde_json::from_slice(body).map_err(unreadable)?;
    let (payload, signature, certificate) = match (&*kind, &*api_version, in_envelope) {
        ("hashedrekord", "0.0.1", false) => {
            let Bare { data, signature } = serde_json::from_value(spec).map_err(unreadable)?;
            (data.hash, signature.content, signature.public_key.content)
        }
        ("dsse", "0.0.1", true) => {
            let own: Envelope = serde_json::from_value(spec).map_err(unreadable)?;
            let [Signature { signature, verifier }] = own.signatures;
            (own.payload_hash, signature, verifier)
        }
        _ => return Err(Refusal::OtherEntry("kind of thing")),
    };
    match payload.algorithm == "sha256" {
        true => Ok(Logged { payload: payload.value, signature, certificate }),
        false => Err(Refusal::OtherEntry("payload")),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    kind: String,
    api_version: String,
    spec: Value,
}

#[derive(Deserialize)]
struct Bare {
    data: Data,
    signature: BareSignature,
}

#[derive(Deserialize)]
struct Data {
    hash: Hash,
}

#[derive(Deserialize)]
struct Hash {
    algorithm: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BareSignature {
    content: String,
    public_key: Content,
}

#[derive(Deserialize)]
struct Content {
    content: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload_hash: Hash,
    signatures: [Signature; 1],
}

#[derive(Deserialize)]
struct Signature {
    signature: String,
    verifier: String,
}
