//! What cosign 3.1.3 wrote on 28 November 2026, with `cosign sign --key FILE --signing-config
//! FILE` and a configuration without services, for its own key and for keys of openssl's that
//! `cosign import-key-pair` read.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bundle_format::digest::Digest;
use bundle_format::lock::{KeySignature, LockedSignature};
use serde_json::{Value, json};

use super::read;
use crate::image::public_key::PublicKey;
use crate::image::signer::{Signer, check};

const IMAGE: &str = "sha256:f040b48aeacee52fd4ecb0f3eb07296bb72e8b4f48c626b568c8dc9ab0731794";
const KEY: &str = include_str!("tests/p256.pub");
const BUNDLE: &str = include_str!("tests/p256.json");

fn accepted(bundle: &str, key: &str, image: &str) -> Result<LockedSignature, String> {
    let signer =
        Signer::Key { file: "team.pub".to_owned(), key: PublicKey::from_pem(key).unwrap() };
    let found = read(bundle.as_bytes()).map_err(|why| why.to_string())?;
    signer.accept(found, image.parse().unwrap()).map_err(|why| why.to_string())
}

/// Why a bundle does not count, with one thing changed.
fn refused(change: impl FnOnce(&mut Value)) -> String {
    let mut bundle = serde_json::from_str(BUNDLE).unwrap();
    change(&mut bundle);
    accepted(&bundle.to_string(), KEY, IMAGE).unwrap_err()
}

#[test]
fn bundles_of_cosigns_count_with_keys_of_all_kinds() {
    for (bundle, key) in [
        (BUNDLE, KEY),
        (include_str!("tests/p384.json"), include_str!("tests/p384.pub")),
        (include_str!("tests/ed25519.json"), include_str!("tests/ed25519.pub")),
        (include_str!("tests/rsa.json"), include_str!("tests/rsa.pub")),
    ] {
        let locked = accepted(bundle, key, IMAGE).unwrap();
        let text = serde_json::to_string(&locked).unwrap();
        let again: LockedSignature = serde_json::from_str(&text).unwrap();
        assert_eq!(again, locked);
        check(&again, IMAGE.parse().unwrap()).unwrap();
        let other = Digest::of(b"another").to_string();
        let why = accepted(bundle, key, &other).unwrap_err();
        assert_eq!(why, format!("another image was signed: {IMAGE}"));
    }
    let why = accepted(BUNDLE, include_str!("tests/p384.pub"), IMAGE).unwrap_err();
    assert_eq!(why, "it is not over this payload, or another key made it");
}

/// As version 2 of Rekor gives it, with no promise and no time.
#[test]
fn a_keys_bundle_needs_no_log() {
    let mut bundle: Value = serde_json::from_str(BUNDLE).unwrap();
    bundle["verificationMaterial"]["tlogEntries"] = json!([{
        "logIndex": "7",
        "logId": {"keyId": "zxGZFVvd0FEmjR8WrFwMdcAJ9vtaY/QXf44Y1wUeP6A="},
        "kindVersion": {"kind": "hashedrekord", "version": "0.0.2"},
        "inclusionProof": {"checkpoint": {"envelope": ""}},
        "canonicalizedBody": "e30=",
    }]);
    accepted(&bundle.to_string(), KEY, IMAGE).unwrap();
    let found = read(bundle.to_string().as_bytes()).unwrap();
    let why = found.entry.unwrap_err().to_string();
    assert!(why.starts_with("its log gave no promise that has a time, as version 2"), "{why}");
}

#[test]
fn no_altered_byte_counts() {
    for (bundle, key) in
        [(BUNDLE, KEY), (include_str!("tests/ed25519.json"), include_str!("tests/ed25519.pub"))]
    {
        let LockedSignature::Key(own) = accepted(bundle, key, IMAGE).unwrap() else { panic!() };
        type Text = fn(&mut KeySignature) -> &mut String;
        let texts: [Text; 2] = [|own| &mut own.payload, |own| &mut own.signature];
        for text in texts {
            let bytes = STANDARD.decode(text(&mut own.clone())).unwrap();
            for place in 0..bytes.len() {
                let mut altered = bytes.clone();
                altered[place] ^= 1;
                let mut own = own.clone();
                *text(&mut own) = STANDARD.encode(altered);
                assert!(check(&LockedSignature::Key(own), IMAGE.parse().unwrap()).is_err());
            }
        }
        // The type is signed too, and so is that there is an envelope at all.
        for kind in [None, Some(""), Some("application/vnd.in-toto"), Some("text/plain")] {
            let mut own = own.clone();
            own.payload_type = kind.map(str::to_owned);
            assert!(check(&LockedSignature::Key(own), IMAGE.parse().unwrap()).is_err(), "{kind:?}");
        }
    }
}

#[test]
fn a_bundle_of_another_form_is_refused() {
    let set = |place: &str, value: Value| {
        let place = place.to_owned();
        refused(move |bundle| *bundle.pointer_mut(&place).unwrap() = value)
    };
    let why = set("/mediaType", json!("application/vnd.dev.sigstore.bundle+json;version=0.1"));
    assert!(why.ends_with("bundle+json;version=0.1`, and only 0.3 is read"), "{why}");
    for (place, value, words) in [
        ("/dsseEnvelope", Value::Null, "it has no `dsseEnvelope`"),
        (
            "/dsseEnvelope/signatures",
            json!([]),
            "its Sigstore bundle cannot be used: invalid length",
        ),
        ("/dsseEnvelope/signatures", json!([{"sig": "a"}, {"sig": "b"}]), "cannot be used: "),
        ("/dsseEnvelope/payload", json!("%"), "its payload cannot be read"),
        ("/dsseEnvelope/payload", json!("e30="), "it is not over this payload"),
        ("/dsseEnvelope/payload", json!("A".repeat(100_000)), "its payload cannot be read"),
        ("/dsseEnvelope/signatures/0/sig", json!(""), "its signature cannot be read"),
        ("/dsseEnvelope/payloadType", json!("text/plain"), "it is not over this payload"),
        ("/verificationMaterial", json!([]), "its Sigstore bundle cannot be used: "),
    ] {
        let why = set(place, value);
        assert!(why.contains(words), "{words}: {why}");
    }
    assert!(read(b"{").unwrap_err().to_string().contains("EOF"));
    let why = read(b"[[[[[").unwrap_err().to_string();
    assert!(why.starts_with("its Sigstore bundle cannot be used: "), "{why}");
}
