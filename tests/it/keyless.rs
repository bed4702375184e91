//! Signatures of those who keep no key, by a Sigstore of the tests' own.

use std::fs;
use std::time::Duration;

use bundle_format::Digest;
use bundle_format::lock::{IdentitySignature, Lock, LockedSignature};
use serde_json::{Value, json};
use upstream::{Keyless, Listing, Signing, Sigstore};

use crate::hostile_bundle::rewritten;
use crate::image_bundles;
use crate::image_signatures::{self, lock};
use crate::support::demo::{Demo, run_in};

const PAUSE: &str = "registry.k8s.io/pause:3.9";
const WHO: &str = "https://github.com/owner/app/.github/workflows/release.yaml@refs/tags/v1.2.3";
const ISSUER: &str = "https://issuer.example";

/// Signs an image of the demo's that has a lock already, and asks for that in the spec, whose
/// last line is `signatures`.
pub(crate) fn sign_too(demo: &Demo, name: &str, root: &str) {
    let sigstore = Sigstore::new().unwrap();
    fs::write(demo.path(root), sigstore.trusted_root().to_string()).unwrap();
    let image = image_signatures::digest(demo, &format!("registry.k8s.io/{name}:"));
    let own = sigstore.sign(&payload(image), &Signing::by(WHO, ISSUER)).unwrap();
    demo.upstream.put_keyless(name, image, &[own]).unwrap();
    let entry = format!("identity: \"{WHO}\", issuer: \"{ISSUER}\", trustedRoot: {root}");
    image_signatures::ask_too(demo, &format!("registry.k8s.io/{name}: {{{entry}}}"));
}

fn payload(image: Digest) -> Vec<u8> {
    json!({"critical": {
        "identity": {"docker-reference": "r.io/a"},
        "image": {"docker-manifest-digest": image.to_string()},
        "type": "cosign container image signature",
    }, "optional": null})
    .to_string()
    .into_bytes()
}

/// The demo, whose spec asks for a signature of `WHO`'s over one image.
struct Site {
    demo: Demo,
    sigstore: Sigstore,
    image: Digest,
}

impl Site {
    fn new() -> Self {
        let (demo, sigstore) = (Demo::start(), Sigstore::new().unwrap());
        demo.ok(&["lock"]);
        let image = image_signatures::digest(&demo, PAUSE);
        fs::write(demo.path("root.json"), sigstore.trusted_root().to_string()).unwrap();
        let entry = format!(
            "  registry.k8s.io/pause:\n    identity: https://github.com/owner/app/*\n    issuer: \
             {ISSUER}\n    trustedRoot: root.json\n"
        );
        demo.write_spec(&format!("{}signatures:\n{entry}", demo.spec()));
        Self { demo, sigstore, image }
    }

    fn sign(&self, image: Digest, how: &Signing) -> Keyless {
        self.sigstore.sign(&payload(image), how).unwrap()
    }

    fn put(&self, all: &[Keyless]) {
        self.demo.upstream.put_keyless("pause", self.image, all).unwrap();
    }

    fn good(&self) -> Keyless {
        self.sign(self.image, &Signing::by(WHO, ISSUER))
    }
}

fn change(lock: &mut Lock, change: &dyn Fn(&mut IdentitySignature)) {
    for image in &mut lock.images {
        if let Some(LockedSignature::Identity(own)) = &mut image.signature {
            change(own);
        }
    }
}

#[test]
fn an_identitys_signature_is_carried_and_checked_again_without_a_network() {
    let site = Site::new();
    let demo = &site.demo;
    site.put(&[site.sign(site.image, &Signing::by("a@b.example", ISSUER)), site.good()]);
    demo.ok(&["lock"]);
    demo.ok(&["lock", "--check", "--offline"]);
    assert!(fs::read_to_string(demo.path("bundle.yaml.lock.json")).unwrap().contains(WHO));

    // A build needs the lock alone, also if the registry has no signatures any more.
    site.put(&[]);
    let other = demo.path("other-cache");
    let built = run_in(demo.folder.path(), &other, &["build", "-q"]);
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let said = demo.ok(&["verify", "-q", "demo.tar"]);
    let words = format!("1 image signed by {WHO}, as {ISSUER} says, by the trusted root sha256:");
    assert!(said.starts_with(&words), "{said}");
    let audited = demo.ok(&["audit", "demo.tar"]);
    let (_, rest) = audited.split_once("signed by a vendor").unwrap();
    let words =
        format!("image {PAUSE}\n    signed by {WHO}, as {ISSUER} says, by the trusted root");
    assert!(rest.contains(&words) && rest.contains(", logged on "), "{audited}");
}

#[test]
fn a_signature_of_somebody_else_does_not_count() {
    let site = Site::new();
    let refused = |all: &[Keyless]| {
        site.put(all);
        site.demo.fails(&["lock"])
    };
    let start = format!(
        "image {PAUSE}: no signature of https://github.com/owner/app/*, as {ISSUER} says, counts \
         for {}",
        site.image
    );
    let by = |identity: &str, issuer: &str| site.sign(site.image, &Signing::by(identity, issuer));
    let other = Sigstore::new().unwrap();
    let stranger = other.sign(&site.good().payload, &Signing::by(WHO, ISSUER)).unwrap();
    for (all, words) in [
        (vec![], "it has no signatures over this image"),
        (vec![by("a@b.example", ISSUER)], "a@b.example made it"),
        (vec![by(WHO, "https://other.example")], "https://other.example says who made it"),
        (vec![by(WHO, "")], "its certificate names no issuer"),
        (vec![stranger], "its log is not one of the trusted root's"),
        (vec![site.sign(Digest::of(b""), &Signing::by(WHO, ISSUER))], "another image was signed"),
    ] {
        let error = refused(&all);
        let cure =
            "compare `identity` and `issuer` with what the image's maker publishes, or leave";
        assert!(error.contains(&start) && error.contains(words), "{words}: {error}");
        assert!(error.contains(cure), "{error}");
    }
    // A key's signature has no certificate.
    let Keyless { payload, signature, .. } = site.good();
    site.demo.upstream.put_signatures("pause", site.image, &[(payload, signature)]).unwrap();
    let error = site.demo.fails(&["lock"]);
    assert!(error.contains("it has no certificate: a key made it"), "{error}");
}

/// What cosign 3 writes, in place of what cosign 2 wrote.
#[test]
fn a_bundle_of_sigstores_is_read_too() {
    let site = Site::new();
    let demo = &site.demo;
    let how = Signing::by(WHO, ISSUER);
    let statement = image_bundles::statement(site.image).to_string();
    let good = site.sigstore.bundle(statement.as_bytes(), &how).unwrap();
    let put = |bundle: &Value| {
        let bundle = bundle.to_string().into_bytes();
        demo.upstream.put_bundles("pause", site.image, Listing::Registry, &[bundle]).unwrap();
    };
    let other = Sigstore::new().unwrap().bundle(statement.as_bytes(), &how).unwrap();
    let of = |how: &Signing| site.sigstore.bundle(statement.as_bytes(), how).unwrap();
    let late = Signing { logged: how.from + Duration::from_secs(601), ..how.clone() };
    let (at, entry) = ("verificationMaterial", "tlogEntries");
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut own = good.clone();
        change(&mut own[at]);
        own
    };
    for (bundle, words) in [
        (other.clone(), "its log is not one of the trusted root's"),
        (of(&Signing::by("a@b.example", ISSUER)), "a@b.example made it"),
        (of(&late), "the log got it at "),
        (changed(&|own| *own = json!([])), "its Sigstore bundle cannot be used: "),
        (changed(&|own| own["certificate"] = Value::Null), "it has no certificate: a key made it"),
        (changed(&|own| own[entry] = json!([])), "no log has it"),
        (
            changed(&|own| own[entry][0]["integratedTime"] = json!("1900000000")),
            "its log did not sign",
        ),
        (changed(&|own| own[entry][0]["logIndex"] = json!("x")), "its log's entry cannot be read"),
        (
            changed(&|own| own[entry][0]["inclusionPromise"] = Value::Null),
            "its log gave no promise that has a time, as version 2 of Rekor gives none",
        ),
        (changed(&|own| own[entry] = of(&how)[at][entry].clone()), "about another signature"),
        (
            changed(&|own| own["certificate"] = of(&how)[at]["certificate"].clone()),
            "about another certificate",
        ),
    ] {
        put(&bundle);
        let error = demo.fails(&["lock"]);
        assert!(error.contains(words), "{words}: {error}");
    }
    put(&good);
    demo.ok(&["lock"]);
    demo.ok(&["build", "-q"]);
    let said = demo.ok(&["verify", "-q", "demo.tar"]);
    assert!(said.starts_with(&format!("1 image signed by {WHO}, as {ISSUER} says")), "{said}");
    rewritten(demo, |lock| change(lock, &|own| own.payload_type = None), &[]);
    let error = demo.fails(&["verify", "-q", "other.tar"]);
    assert!(error.contains("the log's entry is about another kind of thing"), "{error}");
}

#[test]
fn a_bundle_with_another_signature_is_not_good() {
    let site = Site::new();
    let demo = &site.demo;
    site.put(&[site.good()]);
    demo.ok(&["lock"]);
    demo.ok(&["build", "-q"]);
    let good = fs::read(demo.path("bundle.yaml.lock.json")).unwrap();
    rewritten(demo, |lock| change(lock, &|own| own.logged.time += 1), &[]);
    let error = demo.fails(&["verify", "-q", "other.tar"]);
    let words = "its signature does not count: its log did not sign this entry";
    assert!(error.contains(&format!("image {PAUSE}: {words}")), "{error}");
    assert!(demo.ok(&["audit", "other.tar"]).contains(words));
    rewritten(demo, |lock| change(lock, &|own| own.root = None), &[]);
    let error = demo.fails(&["verify", "-q", "other.tar"]);
    assert!(error.contains("its log is not one of the trusted root's"), "{error}");

    // Who must have signed depends on the spec, and never on the lock.
    let (spec, path) = (demo.spec(), demo.path("bundle.yaml.lock.json"));
    site.put(&[site.sign(site.image, &Signing::by("a@b.example", ISSUER))]);
    demo.write_spec(&spec.replace("https://github.com/owner/app/*", "a@b.example"));
    demo.ok(&["lock"]);
    let others = lock(demo).images.into_iter().find_map(|one| one.signature);
    demo.write_spec(&spec);
    let mut edited = Lock::parse(&good).unwrap();
    let own = edited.images.iter_mut().find(|one| one.signature.is_some()).unwrap();
    own.signature = others;
    fs::write(&path, serde_json::to_vec(&edited).unwrap()).unwrap();
    let error = demo.fails(&["build", "-q"]);
    let words = format!("owner/app/*, as {ISSUER} says, because a@b.example made it");
    assert!(error.contains(&words), "{error}");
    fs::write(&path, good).unwrap();
    let other = Sigstore::new().unwrap().trusted_root().to_string();
    fs::write(demo.path("root.json"), other).unwrap();
    let error = demo.fails(&["build", "-q"]);
    assert!(error.contains("no authority of the trusted root gave its certificate"), "{error}");
}

#[test]
fn a_spec_must_say_who_and_who_knows_him() {
    let site = Site::new();
    let demo = &site.demo;
    let spec = demo.spec();
    for (from, to, words) in [
        ("https://github.com/owner/app/*", "https://github.com/own*", "is not an identity"),
        ("https://github.com/owner/app/*", "\"*\"", "any text only in a URI"),
        ("https://github.com/owner/app/*", "nobody", "is not an identity"),
        ("trustedRoot: root.json", "key: team.pub", "`key`: a key's file is the whole value"),
        (ISSUER, "issuer.example", "is not a URL"),
        (&format!("    issuer: {ISSUER}\n"), "", "issuer"),
        ("root.json", "gone.json", "no such file: "),
    ] {
        demo.write_spec(&spec.replace(from, to));
        let error = demo.fails(&["lock"]);
        assert!(error.contains(words) && !error.contains("is empty"), "{words}: {error}");
    }
    demo.write_spec(&spec);
    fs::write(demo.path("root.json"), "{}").unwrap();
    let error = demo.fails(&["lock"]);
    assert!(error.contains("it is not a trusted root of Sigstore's: missing field"), "{error}");
}
