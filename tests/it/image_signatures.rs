//! Cosign's signatures over images, from the embedded registry.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bundle_format::Digest;
use bundle_format::lock::{KeySignature, Lock, LockedImage, LockedSignature};
use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::Signer;
use p256::pkcs8::{EncodePublicKey, LineEnding};

use crate::hops;
use crate::hostile_bundle::rewritten;
use crate::support::demo::{Demo, run_in};

const PAUSE: &str = "registry.k8s.io/pause:3.9";
const TYPE: &str = "cosign container image signature";
/// The digest of no image.
const OTHER: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// The demo, whose spec asks for signatures over one image, and that image's digest.
pub(crate) fn start() -> (Demo, Digest) {
    let demo = Demo::start();
    fs::write(demo.path("team.pub"), pem(1)).unwrap();
    demo.ok(&["lock"]);
    let root = digest(&demo, PAUSE);
    demo.write_spec(&format!("{}signatures: {{registry.k8s.io/pause: team.pub}}\n", demo.spec()));
    (demo, root)
}

/// Asks for one more signature in a spec whose last line is `signatures`.
pub(crate) fn ask_too(demo: &Demo, entry: &str) {
    let spec = demo.spec();
    let (before, entries) = spec.rsplit_once("signatures: {").unwrap();
    demo.write_spec(&format!("{before}signatures: {{{entry}, {entries}"));
}

/// The digest of the image in the lock whose name begins so.
pub(crate) fn digest(demo: &Demo, name: &str) -> Digest {
    let is_it = |one: &LockedImage| one.name.to_string().starts_with(name);
    lock(demo).images.into_iter().find(is_it).unwrap().root.digest
}

pub(crate) fn lock(demo: &Demo) -> Lock {
    Lock::parse(fs::read(demo.path("bundle.yaml.lock.json")).unwrap()).unwrap()
}

pub(crate) fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32].into()).unwrap()
}

fn pem(number: u8) -> String {
    key(number).verifying_key().to_public_key_pem(LineEnding::LF).unwrap()
}

fn payload(kind: &str, image: &str) -> Vec<u8> {
    format!(
        r#"{{"critical":{{"identity":{{"docker-reference":"r.io/a"}},"image":{{"docker-manifest-digest":"{image}"}},"type":"{kind}"}},"optional":null}}"#
    )
    .into_bytes()
}

/// A payload, and the signature of a key over it.
fn signed(number: u8, payload: Vec<u8>) -> (Vec<u8>, String) {
    let signature: p256::ecdsa::Signature = key(number).sign(&payload);
    (payload, STANDARD.encode(signature.to_der()))
}

/// A signature that counts.
pub(crate) fn good(root: Digest) -> (Vec<u8>, String) {
    signed(1, payload(TYPE, &root.to_string()))
}

#[test]
fn a_signature_is_carried_and_checked_again_without_a_network() {
    let (demo, root) = start();
    let of_another = signed(2, payload(TYPE, &root.to_string()));
    demo.upstream.put_signatures("pause", root, &[of_another, good(root)]).unwrap();
    demo.ok(&["lock"]);
    let locked = lock(&demo);
    let signed: Vec<_> = locked.images.iter().filter(|one| one.signature.is_some()).collect();
    assert!(signed.len() == 1 && signed[0].name.to_string() == PAUSE);
    demo.ok(&["lock", "--check", "--offline"]);
    let spec = demo.spec();
    demo.write_spec(&format!("{spec}require: signed\n"));
    let error = demo.fails(&["lock"]);
    assert!(error.contains("`require: signed`: image ") && !error.contains(PAUSE), "{error}");
    demo.write_spec(&spec);

    // A build needs the lock alone, also if the registry has no signatures any more.
    demo.upstream.put_signatures("pause", root, &[]).unwrap();
    let other = demo.path("other-cache");
    let built = run_in(demo.folder.path(), &other, &["build", "-q"]);
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let said = demo.ok(&["verify", "-q", "demo.tar"]);
    assert!(said.starts_with("1 image signed with the ECDSA P-256 key sha256:"), "{said}");
    let audited = demo.ok(&["audit", "demo.tar"]);
    let (_, rest) = audited.split_once("signed by a vendor").unwrap();
    assert!(rest.contains(&format!("image {PAUSE}\n    ECDSA P-256 key sha256:")), "{audited}");
    assert!(rest.contains(", team.pub\n"), "{audited}");
    // What stays in a lock keeps its signature.
    demo.ok(&["lock", "--upgrade", "socat"]);
    assert_eq!(lock(&demo).images, locked.images);
}

#[test]
fn a_signature_that_does_not_count_is_refused() {
    let (demo, root) = start();
    let image = root.to_string();
    let whole = good(root);
    let altered =
        (payload(TYPE, &image).repeat(1).into_iter().chain([b' ']).collect(), whole.1.clone());
    let large = signed(1, [payload(TYPE, &image), vec![b' '; 70_000]].concat());
    let many = vec![signed(2, payload(TYPE, &image)); 101];
    for (signatures, words) in [
        (vec![], "it has no signatures over this image"),
        (vec![signed(2, payload(TYPE, &image))], "another key made it"),
        (vec![signed(1, payload(TYPE, OTHER))], &format!("another image was signed: {OTHER}")),
        (vec![altered], "it is not over this payload"),
        (vec![signed(1, payload("atomic container signature", &image))], "its type is `atomic"),
        (vec![signed(1, b"{}".to_vec())], "not a signature over an image: missing field"),
        (vec![signed(1, b"[[".to_vec())], "not a signature over an image: EOF"),
        (vec![(whole.0.clone(), String::new())], "its signature cannot be read"),
        (vec![(whole.0.clone(), "A".repeat(5000))], "its signature cannot be read"),
        (vec![large], "as no real one has"),
        (many, "those after the first 100 are not read"),
    ] {
        demo.upstream.put_signatures("pause", root, &signatures).unwrap();
        let error = demo.fails(&["lock"]);
        let start = format!("image {PAUSE}: no signature of the key team.pub counts for {root}");
        assert!(error.contains(&start) && error.contains(words), "{words}: {error}");
    }
    demo.upstream.put_signatures("pause", root, &[whole]).unwrap();
    demo.ok(&["lock"]);
    fs::write(demo.path("team.pub"), pem(2)).unwrap();
    assert!(demo.fails(&["build", "-q"]).contains("team.pub"));
    assert!(demo.fails(&["lock"]).contains("another key made it"));
}

#[test]
fn each_mirror_is_asked_until_one_has_the_signature() {
    let (demo, root) = start();
    let spec = demo.spec().replacen("mirrors: [URL]", "mirrors: [URL/other, URL/none, URL]", 1);
    demo.write_spec(&spec);
    let of_another = signed(2, payload(TYPE, &root.to_string()));
    demo.upstream.put_signatures("other/pause", root, &[of_another]).unwrap();
    let error = demo.fails(&["lock"]);
    assert!(error.contains("of 1 signature, none counts; "), "{error}");
    assert!(error.contains(": it has no signatures over this image"), "{error}");
    demo.upstream.put_signatures("pause", root, &[good(root)]).unwrap();
    demo.ok(&["lock"]);
}

#[test]
fn keys_and_entries_that_check_nothing_are_refused() {
    let (demo, _) = start();
    let spec = demo.spec();
    let private = "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n";
    for (text, words) in [(private, "it is a private key"), ("x", "not a public key of cosign's")] {
        fs::write(demo.path("team.pub"), text).unwrap();
        let asked = demo.upstream.requests();
        let error = demo.fails(&["lock"]);
        let line = spec.lines().count();
        let place = format!("bundle.yaml:{line}:37: reading the key team.pub for images: ");
        assert!(error.contains(&place) && error.contains(words), "{words}: {error}");
        // Before anything was asked for.
        assert_eq!(demo.upstream.requests(), asked);
    }
    demo.write_spec(&spec.replace("registry.k8s.io/pause:", "\"registry.k8s.io/pause:3.9\":"));
    let error = demo.fails(&["lock", "--offline"]);
    assert!(error.contains("has a tag or a digest: write `registry.k8s.io/pause`"), "{error}");
    demo.write_spec(&spec);
    fs::write(demo.path("team.pub"), pem(1)).unwrap();
    demo.write_spec(&spec.replace("registry.k8s.io/pause:", "registry.k8s.io/paus:"));
    let error = demo.fails(&["lock"]);
    assert!(error.contains("no image is checked by the entry `registry.k8s.io/paus`"), "{error}");
    demo.write_spec(&spec.replace("team.pub", "gone.pub"));
    assert!(demo.fails(&["lock"]).contains("no such file: "));
}

#[test]
fn a_bundle_with_another_signature_is_not_good() {
    let (demo, root) = start();
    demo.upstream.put_signatures("pause", root, &[good(root)]).unwrap();
    demo.ok(&["lock"]);
    demo.ok(&["build", "-q"]);
    let signature = |lock: &mut Lock, change: &dyn Fn(&mut KeySignature)| {
        for image in &mut lock.images {
            if let Some(LockedSignature::Key(own)) = &mut image.signature {
                change(own);
            }
        }
    };
    let other = signed(1, payload(TYPE, OTHER));
    rewritten(&demo, |lock| signature(lock, &|own| own.payload = STANDARD.encode(&other.0)), &[]);
    assert!(demo.fails(&["verify", "-q", "other.tar"]).contains("does not count: it is not over"));
    let both = |own: &mut KeySignature| {
        own.payload = STANDARD.encode(&other.0);
        own.signature.clone_from(&other.1);
    };
    rewritten(&demo, |lock| signature(lock, &both), &[]);
    let error = demo.fails(&["verify", "-q", "other.tar"]);
    assert!(error.contains(&format!("image {PAUSE}: its signature does not count: another image")));
    assert!(demo.ok(&["audit", "other.tar"]).contains("does not count: another image was signed"));

    // A lock that was edited, or lacks the signature, is not built.
    let path = demo.path("bundle.yaml.lock.json");
    let mut edited = lock(&demo);
    edited.images.iter_mut().for_each(|one| one.signature = None);
    fs::write(&path, serde_json::to_string_pretty(&edited).unwrap()).unwrap();
    let error = demo.fails(&["build", "-q"]);
    assert!(error.contains("it has no signature of the key team.pub"), "{error}");
}

#[test]
fn the_images_of_hops_must_be_signed_too() {
    let Some(demo) = hops::start() else { return };
    fs::write(demo.path("team.pub"), pem(1)).unwrap();
    demo.ok(&["lock"]);
    let is_proxy = |one: &&LockedImage| one.name.name().ends_with("/kube-proxy");
    let root = lock(&demo).images.iter().find(is_proxy).unwrap().root.digest;
    demo.write_spec(&format!(
        "{}signatures: {{registry.k8s.io/kube-proxy: team.pub}}\n",
        demo.spec()
    ));
    assert!(demo.fails(&["lock"]).contains("it has no signatures over this image"));
    demo.upstream.put_signatures("kube-proxy", root, &[good(root)]).unwrap();
    demo.ok(&["lock"]);
    let locked = lock(&demo);
    assert!(!locked.hops.is_empty());
    for images in locked.hops.iter().map(|hop| &hop.images).chain([&locked.images]) {
        assert!(images.iter().filter(is_proxy).all(|one| one.signature.is_some()));
    }
    demo.ok(&["build", "-q"]);
    demo.ok(&["verify", "-q", "demo.tar"]);
}

/// Which key must have signed an image depends on the spec, and never on the lock.
#[test]
fn a_lock_that_pulls_an_image_from_elsewhere_does_not_fit() {
    let (demo, root) = start();
    demo.upstream.put_signatures("pause", root, &[good(root)]).unwrap();
    let more = "images: [\"reg.example.com/x/pause:3.9\"]\n\
                imageSources: [{name: reg.example.com/x, pullFrom: registry.k8s.io}]\n";
    demo.write_spec(&(demo.spec() + more));
    demo.ok(&["lock"]);
    let path = demo.path("bundle.yaml.lock.json");
    let mut lock = lock(&demo);
    let image = lock.images.iter_mut().find(|one| one.name.registry() == "reg.example.com");
    let image = image.unwrap();
    assert!(image.signature.is_some());
    (image.source, image.signature) = (image.name.clone(), None);
    fs::write(&path, serde_json::to_vec(&lock).unwrap()).unwrap();
    let error = demo.fails(&["build", "-q"]);
    let words = "image reg.example.com/x/pause:3.9 is pulled as reg.example.com/x/pause:3.9, and \
                 not as registry.k8s.io/pause:3.9";
    assert!(error.contains(words), "{error}");
}
