use std::time::Duration;

use bundle_format::lock::LockedSignature;
use serde_json::{Value, json};
use upstream::{Keyless, Signing, Sigstore};

use super::super::found::Found;
use super::super::signer::Signer;
use super::*;

mod real;

const WHO: &str = "https://github.com/owner/app/.github/workflows/release.yaml@refs/tags/v1.2.3";
const ISSUER: &str = "https://issuer.example";

fn image() -> Digest {
    Digest::of(b"an image")
}

fn payload(image: Digest) -> Vec<u8> {
    json!({"critical": {
        "identity": {"docker-reference": ""},
        "image": {"docker-manifest-digest": image.to_string()},
        "type": "cosign container image signature",
    }, "optional": null})
    .to_string()
    .into_bytes()
}

fn parsed(root: &Value) -> TrustedRoot {
    TrustedRoot::parse(root.to_string().as_bytes()).unwrap()
}

/// The signature as a lock would have it, by `WHO` and this trusted root.
fn accepted(own: &Keyless, root: &Value) -> Result<LockedSignature, String> {
    let entry = own.entry.to_string();
    let (payload, certificate) = (own.payload.clone(), Some(&*own.certificate));
    let found = Found::annotated(payload, &own.signature, certificate, Some(&entry));
    let root = Some(parsed(root));
    let signer = Signer::Identity { identity: WHO.to_owned(), issuer: ISSUER.to_owned(), root };
    signer.accept(found, image()).map_err(|why| why.to_string())
}

/// Why a signature does not count, with one thing changed.
fn refused(change: impl FnOnce(&Sigstore, &mut Signing, &mut Value)) -> String {
    let sigstore = Sigstore::new().unwrap();
    let (mut how, mut root) = (Signing::by(WHO, ISSUER), sigstore.trusted_root());
    change(&sigstore, &mut how, &mut root);
    accepted(&sigstore.sign(&payload(image()), &how).unwrap(), &root).unwrap_err()
}

#[test]
fn a_signature_by_a_sigstore_of_ones_own_counts() {
    let sigstore = Sigstore::new().unwrap();
    let (how, root) = (Signing::by(WHO, ISSUER), sigstore.trusted_root());
    let own = sigstore.sign(&payload(image()), &how).unwrap();
    let LockedSignature::Identity(locked) = accepted(&own, &root).unwrap() else { panic!() };
    let text = serde_json::to_string(&LockedSignature::Identity(locked.clone())).unwrap();
    let again: LockedSignature = serde_json::from_str(&text).unwrap();
    assert_eq!(again, LockedSignature::Identity(locked.clone()));
    let signed = check(&locked, image()).unwrap();
    assert_eq!(signed.root, Some(parsed(&root).digest()));
    let words = format!("{WHO}, as {ISSUER} says, by the trusted root sha256:");
    assert!(signed.to_string().starts_with(&words), "{signed}");
    // Without the private root in the lock, nobody knows the log.
    let public = IdentitySignature { root: None, ..*locked };
    let why = check(&public, image()).unwrap_err().to_string();
    assert!(why.starts_with("its log is not one of the trusted root's: "), "{why}");
}

#[test]
fn another_signer_or_issuer_is_named() {
    let other = "https://github.com/other/app/.github/workflows/release.yaml@refs/tags/v1.2.3";
    let why = refused(|_, how, _| other.clone_into(&mut how.identity));
    assert_eq!(why, format!("{other} made it"));
    let why = refused(|_, how, _| "https://other.example".clone_into(&mut how.issuer));
    assert_eq!(why, "https://other.example says who made it");
    let why = refused(|_, how, _| how.issuer.clear());
    assert_eq!(why, "its certificate names no issuer, so nobody says that the identity is true");
}

#[test]
fn a_star_of_the_spec_stands_for_any_text() {
    let sigstore = Sigstore::new().unwrap();
    let own = sigstore.sign(&payload(image()), &Signing::by(WHO, ISSUER)).unwrap();
    let locked = accepted(&own, &sigstore.trusted_root()).unwrap();
    for (identity, counts) in [
        ("https://github.com/owner/app/*", true),
        ("https://github.com/owner/app/.github/workflows/release.yaml@refs/tags/*", true),
        ("https://github.com/owner/other/*", false),
        ("https://github.com/owner/app", false),
    ] {
        let root = Some(parsed(&sigstore.trusted_root()));
        let issuer = ISSUER.to_owned();
        let signer = Signer::Identity { identity: identity.to_owned(), issuer, root };
        assert_eq!(signer.check(&locked, image()).is_ok(), counts, "{identity}");
    }
}

#[test]
fn the_certificate_must_be_valid_when_the_log_got_the_signature() {
    let why = refused(|_, how, _| how.logged = how.from + Duration::from_secs(601));
    assert!(why.starts_with("the log got it at ") && why.contains(" GMT, and its cert"), "{why}");
    let why = refused(|_, how, _| how.logged = how.from - Duration::from_secs(2));
    assert!(why.starts_with("the log got it at "), "{why}");
}

#[test]
fn the_trusted_root_must_know_all_and_be_valid_then() {
    let other = || Sigstore::new().unwrap().trusted_root();
    let authority = "no authority of the trusted root gave its certificate";
    for (key, words) in [
        ("certificateAuthorities", authority),
        ("tlogs", "its log is not one of the trusted root's: "),
        ("ctlogs", "its certificate is in no log of certificates that the trusted root names"),
    ] {
        let why = refused(|_, _, root| root[key] = other()[key].clone());
        assert!(why.starts_with(words), "{key}: {why}");
    }
    let why = refused(|_, _, root| {
        root["certificateAuthorities"][0]["validFor"]["end"] = json!("2024-12-31T23:59:59.999Z");
    });
    assert!(why.starts_with("the log got it on ") && why.contains("no authority of"), "{why}");
    let why = refused(|_, _, root| {
        root["tlogs"][0]["publicKey"]["validFor"]["end"] = json!("2024-12-31T23:59:59Z");
    });
    assert!(why.starts_with("its log is not one of"), "{why}");
    assert_eq!(refused(|_, how, _| how.for_code = false), authority);
    let why = refused(|_, how, _| how.certificate_logged = false);
    assert!(why.starts_with("its certificate is in no log of certificates"), "{why}");
}

#[test]
fn the_entry_must_be_the_logs_and_about_this_signature() {
    let sigstore = Sigstore::new().unwrap();
    let (how, root) = (Signing::by(WHO, ISSUER), sigstore.trusted_root());
    let whole = sigstore.sign(&payload(image()), &how).unwrap();
    let other = sigstore.sign(&payload(Digest::of(b"another")), &how).unwrap();
    let why = |change: &dyn Fn(&mut Keyless)| {
        let mut own = whole.clone();
        change(&mut own);
        accepted(&own, &root).unwrap_err()
    };
    let about = |what| format!("the log's entry is about another {what}");
    assert_eq!(why(&|own| own.entry = other.entry.clone()), about("payload"));
    assert_eq!(why(&|own| own.signature = other.signature.clone()), about("signature"));
    assert_eq!(why(&|own| own.certificate = other.certificate.clone()), about("certificate"));
    assert_eq!(why(&|own| own.payload = other.payload.clone()), about("payload"));
    let kind = |own: &mut Keyless| {
        let body = json!({"apiVersion": "0.0.1", "kind": "rekord", "spec": {
            "data": {"hash": {"algorithm": "", "value": ""}},
            "signature": {"content": "", "publicKey": {"content": ""}},
        }});
        own.entry = sigstore.logged(&body, how.logged).unwrap();
    };
    assert_eq!(why(&kind), about("kind of thing"));
    for key in ["integratedTime", "logIndex"] {
        let later = |own: &mut Keyless| {
            own.entry["Payload"][key] = json!(own.entry["Payload"][key].as_u64().unwrap() + 1);
        };
        assert_eq!(why(&later), "its log did not sign this entry", "{key}");
    }
    let broken = |own: &mut Keyless| own.entry = json!({});
    assert_eq!(why(&broken), "its log's entry cannot be read");
    assert_eq!(why(&|own| own.certificate.clear()), "its certificate cannot be read");
}

#[test]
fn another_images_signature_does_not_count() {
    let sigstore = Sigstore::new().unwrap();
    let other = Digest::of(b"another");
    let own = sigstore.sign(&payload(other), &Signing::by(WHO, ISSUER)).unwrap();
    let why = accepted(&own, &sigstore.trusted_root()).unwrap_err();
    assert_eq!(why, format!("another image was signed: {other}"));
}

#[test]
fn a_lock_cannot_name_somebody_else() {
    let sigstore = Sigstore::new().unwrap();
    let own = sigstore.sign(&payload(image()), &Signing::by(WHO, ISSUER)).unwrap();
    let locked = accepted(&own, &sigstore.trusted_root()).unwrap();
    let LockedSignature::Identity(locked) = locked else { panic!() };
    let renamed = IdentitySignature { identity: "a@b.example".to_owned(), ..*locked };
    let why = check(&renamed, image()).unwrap_err().to_string();
    assert_eq!(why, format!("{WHO}, as {ISSUER} says, made it"));
}

#[test]
fn a_file_that_is_no_trusted_root_is_refused() {
    let whole = Sigstore::new().unwrap().trusted_root();
    let why = |key: &str, value: Value| {
        let mut root = whole.clone();
        root[key] = value;
        TrustedRoot::parse(root.to_string().as_bytes()).unwrap_err().to_string()
    };
    for (key, value, words) in [
        ("mediaType", json!("x"), "its `mediaType` is `x`"),
        ("tlogs", json!([]), "it has no log (`tlogs`)"),
        ("certificateAuthorities", json!([]), "it has no `certificateAuthorities`"),
        ("certificateAuthorities", json!([{"certChain": {"certificates": []}}]), "is broken"),
        ("ctlogs", json!([{"publicKey": {"rawBytes": "%"}}]), "a log of certificates is broken"),
        ("ctlogs", json!([{"publicKey": {"rawBytes": "AAAA"}}]), "it has no log of certificates"),
    ] {
        let why = why(key, value);
        assert!(why.contains(words) && why.ends_with("create` writes one"), "{words}: {why}");
    }
    assert!(TrustedRoot::parse(b"{").unwrap_err().to_string().contains("EOF"));
}
