//! What cosign 2.4.1 wrote on 28 November 2026, with `cosign generate-key-pair` and `cosign sign
//! --tlog-upload=false --key cosign.key`.

use super::*;

const KEY: &str = include_str!("tests/cosign.pub");
const PAYLOAD: &[u8] = include_bytes!("tests/payload.json");
const SIGNATURE: &str = include_str!("tests/signature");
const IMAGE: &str = "sha256:9d64ce1a58e2f2e4a01be21eba946fe0e0299fb6a550a1804ef9e4aa94a97b65";

#[test]
fn a_signature_of_cosigns_counts_and_survives_the_lock() {
    let (key, image) = (PublicKey::from_pem(KEY).unwrap(), IMAGE.parse().unwrap());
    key.check(PAYLOAD, SIGNATURE, image).unwrap();
    let locked = key.locked("cosign.pub", PAYLOAD, SIGNATURE.trim());
    assert_eq!(check(&locked, image).unwrap(), key);
    // As `openssl pkey -pubin -in cosign.pub -outform DER | sha256sum` prints it.
    let words = "key sha256:6c41abe825aec033b042548269a98660b9361b2863c0f43a37fc9422d44cb971";
    assert!(key.to_string().ends_with(words), "{key}");
}

#[test]
fn no_altered_byte_counts() {
    let (key, image) = (PublicKey::from_pem(KEY).unwrap(), IMAGE.parse().unwrap());
    for place in 0..PAYLOAD.len() {
        let mut altered = PAYLOAD.to_vec();
        altered[place] ^= 1;
        assert!(matches!(key.check(&altered, SIGNATURE, image), Err(Refusal::NotTheKeys)));
    }
    let signature = STANDARD.decode(SIGNATURE.trim()).unwrap();
    for place in 0..signature.len() {
        let mut altered = signature.clone();
        altered[place] ^= 1;
        assert!(key.check(PAYLOAD, &STANDARD.encode(altered), image).is_err(), "{place}");
    }
    let other = Digest::of(b"");
    assert!(matches!(key.check(PAYLOAD, SIGNATURE, other), Err(Refusal::OtherImage(_))));
}
