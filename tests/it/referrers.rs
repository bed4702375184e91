//! Bundles in a registry that lists itself what refers to a manifest, olareg, and in one that
//! learns to.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bundle_format::Digest;
use lab::built;
use serde_json::{Value, json};

use crate::real_registry::RealRegistry;
use crate::site::{built as built_demo, fails, ok, pulls_the_same};
use crate::support::demo::Demo;

const SBOM: &str = "application/vnd.cyclonedx+json";
const SIGNATURE: &str = "application/vnd.kubeferry.signature.v1+minisign";
const REPOSITORY: &str = "kubeferry/demo";

/// A built bundle that `site.key` has signed, and the public key.
fn signed() -> (Demo, String) {
    let demo = built_demo();
    demo.ok(&["keygen", "--no-password", "site.key"]);
    demo.ok(&["sign", "demo.tar", "--key", "site.key"]);
    let key = demo.path("site.key.pub").display().to_string();
    (demo, key)
}

fn address(registry: &RealRegistry) -> String {
    format!("oci://{}/{REPOSITORY}:1", registry.host())
}

/// The digest of the bundle's manifest.
fn manifest(registry: &RealRegistry) -> Digest {
    Digest::of(&registry.raw_manifest(&format!("{REPOSITORY}:1")))
}

/// The body of a path of the registry's API, with its head. None if the registry has no such
/// thing.
fn get(registry: &RealRegistry, path: &str) -> Option<(String, Value)> {
    let url = format!("http://{}/v2/{REPOSITORY}/{path}", registry.host());
    let accept = "Accept: application/vnd.oci.image.index.v1+json";
    let output = Command::new("curl")
        .args(["--silent", "--fail", "--include", "--header", accept, &url])
        .output()
        .unwrap();
    let answer = String::from_utf8(output.stdout).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n")?;
    output.status.success().then(|| (head.to_owned(), serde_json::from_str(body).unwrap()))
}

/// What the registry itself says that refers to the bundle: type and digest.
fn listed(registry: &RealRegistry) -> Vec<(String, Digest)> {
    let path = format!("referrers/{}", manifest(registry));
    let (_, list) = get(registry, &path).unwrap();
    entries(&list)
}

fn entries(index: &Value) -> Vec<(String, Digest)> {
    let entry = |own: &Value| {
        let digest = own["digest"].as_str().unwrap().parse().unwrap();
        (own["artifactType"].as_str().unwrap().to_owned(), digest)
    };
    let mut all: Vec<_> = index["manifests"].as_array().unwrap().iter().map(entry).collect();
    all.sort();
    all
}

fn kinds(all: &[(String, Digest)]) -> Vec<&str> {
    all.iter().map(|(kind, _)| kind.as_str()).collect()
}

/// Whether there is an index under the tag that stands in for the list.
fn has_tag(registry: &RealRegistry) -> bool {
    get(registry, &format!("manifests/sha256-{}", manifest(registry).hex())).is_some()
}

/// Pulls into an empty folder with an empty cache; `key` must have signed the bundle.
fn pulls_signed(demo: &Demo, registry: &RealRegistry, key: &str) {
    let folder = tempfile::tempdir().unwrap();
    let words = ok(folder.path(), registry, &["pull", &address(registry), "--trusted-key", key]);
    assert!(words.contains("signed: public key "), "{words}");
    let signature = |folder: &Path| fs::read(folder.join("demo.tar.minisig")).unwrap();
    assert_eq!(signature(folder.path()), signature(demo.folder.path()));
}

/// The newest oras; says if there is none.
fn oras() -> Option<PathBuf> {
    let found = built::programs("oras").pop();
    if found.is_none() {
        eprintln!("skipped: no oras: `scripts/tools --kubeadms` builds it");
    }
    Some(found?.1)
}

/// What oras finds when it asks in this way.
fn discovered(registry: &RealRegistry, oras: &Path, way: &str) -> Vec<(String, Digest)> {
    let name = format!("{}/{REPOSITORY}:1", registry.host());
    let output = Command::new(oras)
        .args(["discover", "--plain-http", "--format", "json", "--distribution-spec", way, &name])
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}");
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    entries(&json!({"manifests": found["referrers"]}))
}

#[test]
fn a_registry_that_lists_referrers_lists_the_signature_and_the_bill_of_materials() {
    let Some(registry) = RealRegistry::olareg(&["--api-delete"]) else { return };
    let (demo, key) = signed();
    let (here, address) = (demo.folder.path(), &address(&registry));
    let words = ok(here, &registry, &["push", "demo.tar", address]);
    assert!(words.contains("), 0 there before"), "{words}");
    let all = listed(&registry);
    assert_eq!(kinds(&all), [SBOM, SIGNATURE]);
    assert!(!has_tag(&registry));
    let words = ok(here, &registry, &["push", "demo.tar", address]);
    assert!(words.contains("the bundle: nothing to do, all is there"), "{words}");
    pulls_the_same(&demo, &registry, address);
    pulls_signed(&demo, &registry, &key);
    if let Some(oras) = oras() {
        assert_eq!(discovered(&registry, &oras, "v1.1-referrers-api"), all);
    }
    // Somebody removes the signature, and it is pushed again.
    registry.delete_manifest(REPOSITORY, &all[1].1);
    assert_eq!(kinds(&listed(&registry)), [SBOM]);
    let words = fails(here, &registry, &["pull", address, "--trusted-key", &key, "-o", "new.tar"]);
    assert!(words.contains("is not signed in the registry"), "{words}");
    ok(here, &registry, &["push", "demo.tar", address]);
    assert_eq!(listed(&registry), all);
    pulls_signed(&demo, &registry, &key);
}

#[test]
fn what_was_pushed_before_a_registry_lists_referrers_stays_signed() {
    let Some(registry) = RealRegistry::olareg(&["--api-referrer=false"]) else { return };
    let (demo, key) = signed();
    let (here, address) = (demo.folder.path(), &address(&registry));
    ok(here, &registry, &["push", "demo.tar", address]);
    assert!(get(&registry, &format!("referrers/{}", manifest(&registry))).is_none());
    assert!(has_tag(&registry));
    pulls_signed(&demo, &registry, &key);
    if let Some(oras) = oras() {
        let found = discovered(&registry, &oras, "v1.1-referrers-tag");
        assert_eq!(kinds(&found), [SBOM, SIGNATURE]);
    }
    let words = ok(here, &registry, &["push", "demo.tar", address]);
    assert!(words.contains("the bundle: nothing to do, all is there"), "{words}");
    // From its next release on, it lists them.
    let registry = registry.olareg_again(&[]);
    assert_eq!(kinds(&listed(&registry)), [SBOM, SIGNATURE]);
    pulls_signed(&demo, &registry, &key);
    let words = ok(here, &registry, &["push", "demo.tar", address]);
    assert!(words.contains("the bundle: nothing to do, all is there"), "{words}");
}

/// Others may attach to a bundle what they like, such as reports of scanners.
#[test]
fn a_signature_on_the_second_page_of_the_list_counts() {
    let Some(registry) = RealRegistry::olareg(&[]) else { return };
    let demo = built_demo();
    let (here, address) = (demo.folder.path(), &address(&registry));
    ok(here, &registry, &["push", "demo.tar", address]);
    let subject = registry.raw_manifest(&format!("{REPOSITORY}:1"));
    let own: Value = serde_json::from_slice(&subject).unwrap();
    // A page has at most 4 MiB.
    for number in 0..2 {
        let report = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "artifactType": "application/vnd.example.report",
            "config": own["config"],
            "layers": [],
            "subject": {
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": Digest::of(&subject).to_string(),
                "size": subject.len(),
            },
            "annotations": {"report": number.to_string().repeat(3 << 20)},
        });
        registry.put_manifest(
            REPOSITORY,
            &format!("report-{number}"),
            report.to_string().as_bytes(),
        );
    }
    demo.ok(&["keygen", "--no-password", "site.key"]);
    demo.ok(&["sign", "demo.tar", "--key", "site.key"]);
    ok(here, &registry, &["push", "demo.tar", address]);
    let (head, first) = get(&registry, &format!("referrers/{}", manifest(&registry))).unwrap();
    assert!(head.contains("rel=next"), "{head}");
    assert!(!kinds(&entries(&first)).contains(&SIGNATURE));
    pulls_signed(&demo, &registry, &demo.path("site.key.pub").display().to_string());
    let words = ok(here, &registry, &["push", "demo.tar", address]);
    assert!(words.contains("the bundle: nothing to do, all is there"), "{words}");
}
