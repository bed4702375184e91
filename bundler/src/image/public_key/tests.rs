//! What cosign 2.4.1 wrote on 28 November 2026, with `cosign generate-key-pair` and `cosign sign
//! --tlog-upload=false --key cosign.key`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;

const KEY: &str = include_str!("tests/cosign.pub");
const PAYLOAD: &[u8] = include_bytes!("tests/payload.json");
const SIGNATURE: &str = include_str!("tests/signature");

#[test]
fn a_signature_of_cosigns_counts() {
    let key = PublicKey::from_pem(KEY).unwrap();
    assert!(key.signed(PAYLOAD, &signature(SIGNATURE).unwrap()));
    assert_eq!(PublicKey::from_der(key.der()).unwrap(), key);
    // As `openssl pkey -pubin -in cosign.pub -outform DER | sha256sum` prints it.
    let words = "key sha256:6c41abe825aec033b042548269a98660b9361b2863c0f43a37fc9422d44cb971";
    assert!(key.to_string().ends_with(words), "{key}");
}

/// What `cosign import-key-pair` and `cosign sign-blob --tlog-upload=false` wrote for keys of
/// openssl's.
#[test]
fn keys_of_all_kinds_count() {
    for (pem, made, kind) in [
        (include_str!("tests/p384.pub"), include_str!("tests/p384.signature"), "ECDSA P-384 key"),
        (include_str!("tests/ed25519.pub"), include_str!("tests/ed25519.signature"), "Ed25519 key"),
        (include_str!("tests/rsa.pub"), include_str!("tests/rsa.signature"), "RSA key"),
    ] {
        let key = PublicKey::from_pem(pem).unwrap();
        let made = signature(made).unwrap();
        assert!(key.signed(PAYLOAD, &made) && !key.signed(b"{}", &made), "{kind}");
        assert!(key.to_string().starts_with(kind), "{key}");
    }
    assert!(PublicKey::from_pem(include_str!("tests/p521.pub")).is_err());
}

#[test]
fn no_altered_byte_counts() {
    let key = PublicKey::from_pem(KEY).unwrap();
    let whole = signature(SIGNATURE).unwrap();
    for place in 0..PAYLOAD.len() {
        let mut altered = PAYLOAD.to_vec();
        altered[place] ^= 1;
        assert!(!key.signed(&altered, &whole));
    }
    for place in 0..whole.len() {
        let mut altered = whole.clone();
        altered[place] ^= 1;
        let read = signature(&STANDARD.encode(altered));
        assert!(read.is_none_or(|altered| !key.signed(PAYLOAD, &altered)), "{place}");
    }
}
