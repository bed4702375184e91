//! Cosign's signatures over images in bundles of Sigstore's, from the embedded registry.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bundle_format::Digest;
use bundle_format::lock::{Lock, LockedSignature};
use p256::ecdsa::signature::Signer;
use serde_json::{Value, json};
use upstream::Listing;

use crate::hostile_bundle::rewritten;
use crate::image_signatures::{self, key, lock};
use crate::support::demo::{Demo, run_in};

const PAUSE: &str = "registry.k8s.io/pause:3.9";
const TYPE: &str = "application/vnd.in-toto+json";
const SIGNED: &str = "https://sigstore.dev/cosign/sign/v1";

/// What cosign 3 signs for an image.
pub(crate) fn statement(image: Digest) -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": image.hex()}, "annotations": {}}],
        "predicateType": SIGNED,
        "predicate": {},
    })
}

/// Signs an image of the demo's that has a lock already with the demo's key, and asks for that in
/// the spec, whose last line is `signatures`.
pub(crate) fn sign_too(demo: &Demo, name: &str) {
    let root = image_signatures::digest(demo, &format!("registry.k8s.io/{name}:"));
    let bundle = signed(1, &statement(root));
    demo.upstream.put_bundles(name, root, Listing::Registry, &[bundle]).unwrap();
    image_signatures::ask_too(demo, &format!("registry.k8s.io/{name}: team.pub"));
}

/// A bundle of a key's over a statement.
fn signed(number: u8, statement: &Value) -> Vec<u8> {
    let payload = statement.to_string();
    let bytes = format!("DSSEv1 {} {TYPE} {} {payload}", TYPE.len(), payload.len());
    let signature: p256::ecdsa::Signature = key(number).sign(bytes.as_bytes());
    json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": "any"}},
        "dsseEnvelope": {
            "payload": STANDARD.encode(payload),
            "payloadType": TYPE,
            "signatures": [{"sig": STANDARD.encode(signature.to_der())}],
        },
    })
    .to_string()
    .into_bytes()
}

fn put(demo: &Demo, root: Digest, listing: Listing, bundles: &[Vec<u8>]) {
    demo.upstream.put_bundles("pause", root, listing, bundles).unwrap();
}

#[test]
fn a_bundle_is_carried_and_checked_again_without_a_network() {
    for listing in [Listing::Registry, Listing::Tag] {
        let (demo, root) = image_signatures::start();
        let good = signed(1, &statement(root));
        put(&demo, root, listing, &[signed(2, &statement(root)), good]);
        demo.ok(&["lock"]);
        let locked = lock(&demo);
        let signed: Vec<_> = locked.images.iter().filter(|one| one.signature.is_some()).collect();
        assert!(signed.len() == 1 && signed[0].name.to_string() == PAUSE);
        demo.ok(&["lock", "--check", "--offline"]);

        // A build needs the lock alone, also if the registry has no signatures any more.
        put(&demo, root, listing, &[]);
        let other = demo.path("other-cache");
        let built = run_in(demo.folder.path(), &other, &["build", "-q"]);
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let said = demo.ok(&["verify", "-q", "demo.tar"]);
        assert!(said.starts_with("1 image signed with the ECDSA P-256 key sha256:"), "{said}");
        let audited = demo.ok(&["audit", "demo.tar"]);
        let (_, rest) = audited.split_once("signed by a vendor").unwrap();
        assert!(rest.contains(&format!("image {PAUSE}\n    ECDSA P-256 key sha256:")), "{audited}");
    }
}

/// The registry's list need not be asked again, nor the index that clients keep.
#[test]
fn a_bundle_that_was_read_before_is_found_without_a_network() {
    for listing in [Listing::Registry, Listing::Tag] {
        let (demo, root) = image_signatures::start();
        put(&demo, root, listing, &[signed(1, &statement(root))]);
        demo.ok(&["lock"]);
        let before = lock(&demo);
        fs::remove_file(demo.path("bundle.yaml.lock.json")).unwrap();
        demo.ok(&["lock", "--offline"]);
        assert_eq!(lock(&demo).images, before.images);
    }
}

#[test]
fn a_bundle_that_does_not_count_is_refused() {
    let (demo, root) = image_signatures::start();
    let with = |key: &str, value: Value| {
        let mut own = statement(root);
        own[key] = value;
        own
    };
    let of_another = json!([{"digest": {"sha256": Digest::of(b"").hex()}}]);
    let no_sha256 = json!([{"name": PAUSE, "digest": {"sha512": root.hex()}}]);
    let large = json!("x".repeat(70_000));
    let mut huge = signed(1, &statement(root));
    huge.resize(300_000, b' ');
    for (bundles, words) in [
        (vec![], "it has no signatures over this image"),
        (vec![signed(2, &statement(root))], "of 1 signature, none counts; it is not over this"),
        (vec![signed(1, &with("subject", of_another))], "another image was signed: sha256:e3b0c4"),
        (vec![signed(1, &with("subject", json!([])))], "another image was signed"),
        (vec![signed(1, &with("subject", no_sha256))], "another image was signed"),
        (vec![signed(1, &with("_type", json!("x")))], "an image: its `_type` is `x`"),
        (
            vec![signed(1, &with("predicateType", json!("https://slsa.dev/provenance/v1")))],
            "its `predicateType` is `https://slsa.dev/provenance/v1`",
        ),
        (vec![signed(1, &json!({}))], "not a signature over an image: missing field"),
        (vec![signed(1, &with("predicate", large))], "its payload cannot be read"),
        (vec![huge], "its bundle has 300000 bytes, as no real one has"),
        (vec![b"{}".to_vec()], "its Sigstore bundle cannot be used: missing field `mediaType`"),
        (vec![b"<html>".to_vec()], "its Sigstore bundle cannot be used: "),
        (
            (0..101).map(|own| signed(2, &with("predicate", json!(own)))).collect(),
            "those after the first 100 are not read",
        ),
    ] {
        put(&demo, root, Listing::Registry, &bundles);
        let error = demo.fails(&["lock"]);
        let start = format!("image {PAUSE}: no signature of the key team.pub counts for {root}");
        assert!(error.contains(&start) && error.contains(words), "{words}: {error}");
    }
}

#[test]
fn of_both_forms_one_good_signature_is_enough_and_a_refusal_says_all() {
    let (demo, root) = image_signatures::start();
    let (tagged, bundle) = (image_signatures::good(root), signed(1, &statement(root)));
    let attested = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": root.hex()}}],
        "predicateType": "https://spdx.dev/Document",
    });
    let (other, attestation) = ((tagged.0.clone(), bundle_signature()), signed(1, &attested));
    for (tagged, bundles) in [
        (tagged.clone(), vec![attestation.clone()]),
        (other.clone(), vec![attestation.clone(), bundle]),
    ] {
        demo.upstream.put_signatures("pause", root, &[tagged]).unwrap();
        put(&demo, root, Listing::Tag, &bundles);
        drop(fs::remove_file(demo.path("bundle.yaml.lock.json")));
        demo.ok(&["lock"]);
    }
    demo.upstream.put_signatures("pause", root, &[other]).unwrap();
    put(&demo, root, Listing::Tag, &[attestation]);
    drop(fs::remove_file(demo.path("bundle.yaml.lock.json")));
    let error = demo.fails(&["lock"]);
    let words = "of 2 signatures, none counts; it is not over this payload, or another key made \
                 it; what was signed is not a signature over an image: its `predicateType` is \
                 `https://spdx.dev/Document`";
    assert!(error.contains(words), "{error}");
}

/// A signature over something else.
fn bundle_signature() -> String {
    let signature: p256::ecdsa::Signature = key(1).sign(b"something else");
    STANDARD.encode(signature.to_der())
}

#[test]
fn a_bundle_with_another_signature_is_not_good() {
    let (demo, root) = image_signatures::start();
    put(&demo, root, Listing::Registry, &[signed(1, &statement(root))]);
    demo.ok(&["lock"]);
    demo.ok(&["build", "-q"]);
    let without_envelope = |lock: &mut Lock| {
        for image in &mut lock.images {
            if let Some(LockedSignature::Key(own)) = &mut image.signature {
                assert_eq!(own.payload_type.as_deref(), Some(TYPE));
                own.payload_type = None;
            }
        }
    };
    rewritten(&demo, without_envelope, &[]);
    assert!(demo.fails(&["verify", "-q", "other.tar"]).contains("does not count: it is not over"));
}
