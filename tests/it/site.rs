//! Bundles in Debian's docker-registry: plain, with TLS and a password, with tokens, and
//! read-only.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use bundle_format::Digest;
use serde_json::Value;

use crate::real_registry::RealRegistry;
use crate::support::demo::{BUNDLER, Demo};

/// A built bundle, `demo.tar`.
pub(crate) fn built() -> Demo {
    let demo = Demo::start();
    demo.ok(&["build", "-q"]);
    demo
}

/// `bundler` in `folder`, with a cache and the login of `registry`.
fn command(folder: &Path, registry: &RealRegistry) -> Command {
    let mut command = Command::new(BUNDLER);
    command
        .current_dir(folder)
        .env("XDG_CACHE_HOME", folder.join("cache"))
        .env("HOME", folder)
        .env("REGISTRY_AUTH_FILE", registry.login_file());
    command
}

fn run(folder: &Path, registry: &RealRegistry, arguments: &[&str]) -> Output {
    let ca = registry.ca();
    let mut command = command(folder, registry);
    command.args(arguments);
    match ca.is_file() {
        true => command.arg("--ca").arg(ca),
        false => command.arg("--plain-http"),
    };
    command.output().unwrap()
}

/// The same, which must succeed; gives standard error.
pub(crate) fn ok(folder: &Path, registry: &RealRegistry, arguments: &[&str]) -> String {
    let output = run(folder, registry, arguments);
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{arguments:?}: {words}");
    words
}

/// The same, which must fail.
pub(crate) fn fails(folder: &Path, registry: &RealRegistry, arguments: &[&str]) -> String {
    let output = run(folder, registry, arguments);
    let words = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {words}");
    assert!(words.starts_with("error: "), "{words}");
    words
}

pub(crate) fn digest(path: &Path) -> Digest {
    Digest::of_reader(&mut fs::File::open(path).unwrap()).unwrap().0
}

/// Pulls into an empty folder with an empty cache, and compares with the demo's bundle.
pub(crate) fn pulls_the_same(demo: &Demo, registry: &RealRegistry, address: &str) {
    let folder = tempfile::tempdir().unwrap();
    ok(folder.path(), registry, &["pull", address]);
    assert_eq!(digest(&folder.path().join("demo.tar")), digest(&demo.path("demo.tar")));
    let sums = |folder: &Path| fs::read(folder.join("demo.tar.sha256")).unwrap();
    assert_eq!(sums(folder.path()), sums(demo.folder.path()));
}

#[test]
fn a_pushed_bundle_comes_back_byte_for_byte_and_is_pushed_once() {
    let Some(registry) = RealRegistry::plain() else { return };
    let demo = built();
    let here = demo.folder.path();
    let address = &format!("oci://{}/kubeferry/demo:1", registry.host());
    let words = ok(here, &registry, &["push", "demo.tar", address]);
    assert!(words.contains(" sent (") && words.contains("), 0 there before"), "{words}");
    let words = ok(here, &registry, &["push", "demo.tar", address]);
    assert!(words.contains("the bundle: nothing to do, all is there"), "{words}");
    let other = &format!("oci://{}/kubeferry/demo:2", registry.host());
    let words = ok(here, &registry, &["push", "demo.tar", other]);
    assert!(words.contains("the bundle: 0 blobs sent"), "{words}");
    pulls_the_same(&demo, &registry, address);
    let manifest: Value =
        serde_json::from_slice(&registry.raw_manifest("kubeferry/demo:2")).unwrap();
    assert_eq!(manifest["artifactType"], "application/vnd.kubeferry.bundle.v1+json");
    assert_eq!(
        manifest["layers"][0]["annotations"]["org.opencontainers.image.title"],
        "oci-layout"
    );
    // By its digest, too, and with nothing to fetch.
    let by_digest = format!("oci://{}/kubeferry/demo@", registry.host())
        + &Digest::of(&registry.raw_manifest("kubeferry/demo:1")).to_string();
    ok(here, &registry, &["pull", &by_digest]);
    let words = ok(here, &registry, &["pull", &by_digest, "--output", "again.tar"]);
    assert!(words.contains("; 0 B were fetched"), "{words}");
}

#[test]
fn a_tag_of_something_else_is_kept_unless_it_may_be_replaced() {
    let Some(registry) = RealRegistry::plain() else { return };
    let demo = built();
    let here = demo.folder.path();
    let address = &format!("oci://{}/kubeferry/demo:1", registry.host());
    ok(here, &registry, &["push", "demo.tar", address]);
    let spec = demo.spec();
    demo.write_spec(&spec.replace("name: demo", "name: other"));
    demo.ok(&["lock"]);
    demo.ok(&["build", "-q"]);
    let words = fails(here, &registry, &["push", "other.tar", address]);
    assert!(words.contains("a bundle, demo.tar of Kubernetes 1.28.2"), "{words}");
    assert!(words.contains("--replace"), "{words}");
    pulls_the_same(&demo, &registry, address);
    // Most of it is the same.
    let words = ok(here, &registry, &["push", "other.tar", address, "--replace"]);
    assert!(words.contains("the bundle: 4 blobs sent"), "{words}");
    // What is no bundle is not pulled.
    registry.push_image(
        "a:v1",
        &crate::real_registry::image::Content::Oci(bundle_format::Architecture::X86_64),
    );
    let image = &format!("oci://{}/a:v1", registry.host());
    let words = fails(here, &registry, &["pull", image]);
    assert!(words.contains("it is no bundle, but a container image"), "{words}");
    let words = fails(here, &registry, &["pull", &format!("{address}2")]);
    assert!(words.contains("is not there: check the name and the tag"), "{words}");
}

#[test]
fn a_push_that_was_killed_goes_on() {
    let Some(registry) = RealRegistry::plain() else { return };
    let demo = built();
    let here = demo.folder.path();
    let address = &format!("oci://{}/kubeferry/demo:1", registry.host());
    let layers =
        registry.storage().join("docker/registry/v2/repositories/kubeferry/demo/_layers/sha256");
    let mut push = command(here, &registry);
    push.args(["push", "-q", "demo.tar", address, "--plain-http"]);
    let mut push = push.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    while fs::read_dir(&layers).map_or(0, Iterator::count) < 3 && Instant::now() < end {
        thread::sleep(Duration::from_millis(1));
    }
    push.kill().unwrap();
    push.wait().unwrap();
    // Nobody sees half a bundle.
    let words = fails(here, &registry, &["pull", address, "--output", "half.tar"]);
    assert!(words.contains("is not there"), "{words}");
    let words = ok(here, &registry, &["push", "demo.tar", address]);
    assert!(!words.contains("), 0 there before"), "{words}");
    pulls_the_same(&demo, &registry, address);
}

#[test]
fn a_pull_that_was_killed_fetches_the_rest() {
    let Some(registry) = RealRegistry::plain() else { return };
    let demo = built();
    let address = &format!("oci://{}/kubeferry/demo:1", registry.host());
    ok(demo.folder.path(), &registry, &["push", "demo.tar", address]);
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let blobs = here.join("cache/kubeferry/blobs/sha256");
    let mut pull = command(here, &registry);
    pull.args(["pull", "-q", address, "--plain-http"]);
    let mut pull = pull.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    while fs::read_dir(&blobs).map_or(0, Iterator::count) < 6 && Instant::now() < end {
        thread::sleep(Duration::from_millis(1));
    }
    pull.kill().unwrap();
    pull.wait().unwrap();
    let kept = fs::read_dir(&blobs).unwrap().count();
    assert!(kept >= 6);
    ok(here, &registry, &["pull", address]);
    assert_eq!(digest(&here.join("demo.tar")), digest(&demo.path("demo.tar")));
    assert!(!here.join(".demo.tar.partial").exists());
}

#[test]
fn tls_passwords_and_tokens_are_those_of_a_pull() {
    let demo = built();
    let here = demo.folder.path();
    for registry in [RealRegistry::tls_basic(), RealRegistry::token()] {
        let Some(registry) = registry else { return };
        let address = &format!("oci://{}/private/demo:1", registry.host());
        let mirror = &format!("{}/private/mirror", registry.host());
        let words = ok(here, &registry, &["push", "demo.tar", address, "--images-to", mirror]);
        assert!(words.contains("taken from another repository"), "{words}");
        pulls_the_same(&demo, &registry, address);
        // Without the login.
        fs::write(registry.login_file(), "{}").unwrap();
        for arguments in [&["push", "demo.tar", address][..], &["pull", address]] {
            let words = fails(here, &registry, arguments);
            assert!(words.contains("docker login"), "{words}");
        }
    }
}

#[test]
fn a_read_only_registry_is_told_of_in_one_sentence() {
    let Some(registry) = RealRegistry::read_only() else { return };
    let demo = built();
    let address = &format!("oci://{}/kubeferry/demo:1", registry.host());
    let words = fails(demo.folder.path(), &registry, &["push", "-q", "demo.tar", address]);
    assert_eq!(words.lines().count(), 1, "{words}");
    assert!(words.contains("takes nothing: it is read-only"), "{words}");
}

#[test]
fn nodes_and_skopeo_can_pull_the_images() {
    let Some(registry) = RealRegistry::plain() else { return };
    let demo = built();
    let here = demo.folder.path();
    let address = &format!("oci://{}/kubeferry/demo:1", registry.host());
    let mirror = &format!("{}/mirror", registry.host());
    let arguments = ["push", "demo.tar", address, "--images-to", mirror];
    let words = ok(here, &registry, &arguments);
    assert!(words.contains("its images: 0 blobs sent (0 B), "), "{words}");
    // The bundle has one platform of each index, and this registry takes an index whole only.
    assert!(words.contains("takes no index that names other platforms too"), "{words}");
    let words = ok(here, &registry, &arguments);
    assert!(words.contains("its images: nothing to do, all is there"), "{words}");
    let lock = demo.ok(&["inspect", "--json", "demo.tar"]);
    let lock: Value = serde_json::from_str(&lock).unwrap();
    let images = lock["images"].as_array().unwrap();
    assert!(images.len() >= 12, "{}", images.len());
    for image in images {
        let name = image["name"].as_str().unwrap();
        let there = name.split('@').next().unwrap().replace("127.0.0.1:", "127.0.0.1_");
        let manifest = Digest::of(&registry.raw_manifest(&format!("mirror/{there}")));
        let own = [&image["root"], &image["platforms"][0]["manifest"]];
        let own = own.map(|one| one["digest"].as_str().unwrap_or_default().to_owned());
        assert!(own.contains(&manifest.to_string()), "{name}: {manifest}, {own:?}");
        let copy = tempfile::tempdir().unwrap();
        registry.copy_out(&format!("mirror/{there}"), copy.path());
    }
}

#[test]
fn no_image_takes_the_tag_of_the_bundle_itself() {
    let Some(registry) = RealRegistry::plain() else { return };
    let demo = built();
    let lock = demo.ok(&["inspect", "--json", "demo.tar"]);
    let lock: Value = serde_json::from_str(&lock).unwrap();
    let image = lock["images"][0]["name"].as_str().unwrap();
    let there = image.split('@').next().unwrap().replace("127.0.0.1:", "127.0.0.1_");
    let address = &format!("oci://{}/mirror/{there}", registry.host());
    let mirror = &format!("{}/mirror", registry.host());
    let words =
        fails(demo.folder.path(), &registry, &["push", "demo.tar", address, "--images-to", mirror]);
    let told = format!("image {image} would get the name of the bundle, {address}: ");
    assert!(words.contains(&told), "{words}");
    assert!(words.contains("choose another tag for the bundle, or another path"), "{words}");
    assert!(!registry.storage().join("docker").exists());
}

/// What a bundle is stands in its own documents, whose digests `index.json` has.
#[test]
fn a_registry_that_lies_about_a_bundle_makes_no_other_of_it() {
    let Some(registry) = RealRegistry::plain() else { return };
    let demo = built();
    let address = &format!("oci://{}/kubeferry/demo:1", registry.host());
    ok(demo.folder.path(), &registry, &["push", "demo.tar", address]);
    let told: Value = serde_json::from_slice(&registry.raw_manifest("kubeferry/demo:1")).unwrap();
    let put = |tag: &str, change: &dyn Fn(&mut Vec<Value>)| {
        let mut told = told.clone();
        change(told["layers"].as_array_mut().unwrap());
        registry.put_manifest("kubeferry/demo", tag, told.to_string().as_bytes());
        format!("oci://{}/kubeferry/demo:{tag}", registry.host())
    };
    // Layers that are left out, in another order, or of another size.
    pulls_the_same(&demo, &registry, &put("fewer", &|layers| layers.truncate(3)));
    pulls_the_same(&demo, &registry, &put("reversed", &|layers| layers.reverse()));
    let larger = put("larger", &|layers| layers[5]["size"] = (1_u64 << 43).into());
    pulls_the_same(&demo, &registry, &larger);
    // Another file of the bundle in the place of its index, or none.
    let other = put("other", &|layers| layers[1]["digest"] = layers[0]["digest"].clone());
    let folder = tempfile::tempdir().unwrap();
    let words = fails(folder.path(), &registry, &["pull", &other]);
    assert!(words.contains("index.json"), "{words}");
    let none = put("none", &|layers| drop(layers.remove(1)));
    let words = fails(folder.path(), &registry, &["pull", &none]);
    assert!(words.contains("its manifest has no index.json"), "{words}");
    assert!(!folder.path().join("demo.tar").exists());
}

/// The manifest of the bundle itself is among what a disk may damage.
#[test]
fn a_document_that_is_damaged_in_the_cache_is_fetched_again() {
    let Some(registry) = RealRegistry::plain() else { return };
    let demo = built();
    let address = &format!("oci://{}/kubeferry/demo:1", registry.host());
    ok(demo.folder.path(), &registry, &["push", "demo.tar", address]);
    let folder = tempfile::tempdir().unwrap();
    ok(folder.path(), &registry, &["pull", address]);
    let told: Value = serde_json::from_slice(&registry.raw_manifest("kubeferry/demo:1")).unwrap();
    for layer in &told["layers"].as_array().unwrap()[1..4] {
        let digest = layer["digest"].as_str().unwrap().replace("sha256:", "");
        let path = folder.path().join("cache/kubeferry/blobs/sha256").join(digest);
        let size = fs::metadata(&path).unwrap().len();
        fs::write(&path, vec![b' '; usize::try_from(size).unwrap()]).unwrap();
    }
    ok(folder.path(), &registry, &["pull", address, "--output", "again.tar"]);
    assert_eq!(digest(&folder.path().join("again.tar")), digest(&demo.path("demo.tar")));
}

#[test]
fn a_signature_and_the_bill_of_materials_go_along() {
    let Some(registry) = RealRegistry::plain() else { return };
    let demo = built();
    let here = demo.folder.path();
    demo.ok(&["keygen", "--no-password", "site.key"]);
    demo.ok(&["keygen", "--no-password", "other.key"]);
    let address = &format!("oci://{}/kubeferry/demo:1", registry.host());
    ok(here, &registry, &["push", "demo.tar", address]);
    let key = demo.path("site.key.pub").display().to_string();
    let folder = tempfile::tempdir().unwrap();
    let pull = ["pull", address, "--trusted-key", &key];
    let words = fails(folder.path(), &registry, &pull);
    assert!(words.contains("is not signed in the registry"), "{words}");
    assert!(!folder.path().join("demo.tar").exists());
    // One that says it is of another bundle stays here.
    fs::write(demo.path("demo.tar.minisig"), "trusted comment: lock:sha256:0\n").unwrap();
    let words = ok(here, &registry, &["push", "demo.tar", address]);
    assert!(words.contains("is of another bundle, and was not pushed"), "{words}");
    // The signature may come later: the bundle stays as it is.
    fs::remove_file(demo.path("demo.tar.minisig")).unwrap();
    demo.ok(&["sign", "demo.tar", "--key", "site.key"]);
    ok(here, &registry, &["push", "demo.tar", address]);
    let words = ok(folder.path(), &registry, &pull);
    assert!(words.contains("signed: public key "), "{words}");
    let signature = |folder: &Path| fs::read(folder.join("demo.tar.minisig")).unwrap();
    assert_eq!(signature(folder.path()), signature(here));
    let other = demo.path("other.key.pub").display().to_string();
    let words = fails(folder.path(), &registry, &["pull", address, "--trusted-key", &other]);
    assert!(words.contains("was made with the key"), "{words}");
    let manifest = Digest::of(&registry.raw_manifest("kubeferry/demo:1"));
    let tag = format!("kubeferry/demo:sha256-{}", manifest.hex());
    let index: Value = serde_json::from_slice(&registry.raw_manifest(&tag)).unwrap();
    let kinds: Vec<&str> = index["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["artifactType"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        ["application/vnd.cyclonedx+json", "application/vnd.kubeferry.signature.v1+minisign",]
    );
    // Somebody removes the signature: who trusts no key does without, and it is pushed again.
    let gone: Digest = index["manifests"][1]["digest"].as_str().unwrap().parse().unwrap();
    registry.delete_manifest("kubeferry/demo", &gone);
    ok(folder.path(), &registry, &["pull", address]);
    let words = fails(folder.path(), &registry, &pull);
    assert!(words.contains("reading the bundle's signatures: "), "{words}");
    ok(here, &registry, &["push", "demo.tar", address]);
    ok(folder.path(), &registry, &pull);
    // A file of another kind, whose name the registry chose, stays.
    fs::write(folder.path().join("demo.tar"), "mine").unwrap();
    let words = fails(folder.path(), &registry, &["pull", address]);
    assert!(words.contains("demo.tar is there, and is another file"), "{words}");
    assert_eq!(fs::read(folder.path().join("demo.tar")).unwrap(), b"mine");
}
