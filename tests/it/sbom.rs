//! The software bill of materials of a bundle.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::Command;

use bundle_format::BundlePath;
use bundle_format::archive::reader::Bundle;
use bundle_format::archive::writer;
use bundle_format::layout::{Content, Layout};
use serde_json::Value;

use crate::hops;
use crate::support::demo::{BUNDLER, Demo};

fn bill(demo: &Demo) -> Value {
    serde_json::from_str(&demo.ok(&["sbom", "demo.tar"])).unwrap()
}

fn components(bill: &Value) -> Vec<&Value> {
    bill["components"].as_array().unwrap().iter().collect()
}

#[test]
fn a_bundle_has_its_bill_and_the_same_lock_gives_the_same() {
    let demo = Demo::start();
    demo.ok(&["lock"]);
    demo.ok(&["build", "-q", "--output", "demo.tar"]);
    let first = fs::read(demo.path("demo.tar")).unwrap();
    let text = demo.ok(&["sbom", "demo.tar"]);
    demo.ok(&["extract", "demo.tar", "sbom.cdx.json", "-C", "out"]);
    assert_eq!(fs::read_to_string(demo.path("out/sbom.cdx.json")).unwrap(), text);
    demo.ok(&["sbom", "demo.tar", "--output", "bill.json"]);
    assert_eq!(demo.ok(&["sbom", "demo.tar", "--output", "/dev/stdout"]), text, "a pipe");
    assert_eq!(fs::read_to_string(demo.path("bill.json")).unwrap(), text);
    // Another machine has another cache.
    fs::remove_dir_all(demo.path("cache")).unwrap();
    demo.ok(&["build", "-q", "--locked", "--output", "again.tar"]);
    assert!(first == fs::read(demo.path("again.tar")).unwrap());
    let listed = demo.ok(&["extract", "--list", "--kind", "sbom", "demo.tar"]);
    assert_eq!(listed, "sbom.cdx.json\n");
}

#[test]
fn packages_images_and_files_are_all_in_the_bill() {
    let demo = Demo::start();
    demo.ok(&["lock"]);
    demo.ok(&["build", "-q"]);
    let lock: Value =
        serde_json::from_slice(&fs::read(demo.path("bundle.yaml.lock.json")).unwrap()).unwrap();
    let bill = bill(&demo);
    let all = components(&bill);
    let count = |kind: &str| all.iter().filter(|one| one["type"] == kind).count();
    let number = |name: &str| lock[name].as_array().unwrap().len();
    let platforms: usize = lock["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|image| image["platforms"].as_array().unwrap().len())
        .sum();
    assert_eq!(count("library"), number("rpms"));
    assert_eq!(count("container"), platforms);
    assert_eq!(count("file"), number("manifests") + number("files"));
    let kubelet = all.iter().find(|one| one["name"] == "kubelet").unwrap();
    assert_eq!(kubelet["licenses"][0]["license"]["name"], "Apache-2.0", "{kubelet:#}");
    let purl = kubelet["purl"].as_str().unwrap();
    assert!(purl.starts_with("pkg:rpm/kubelet@1.28.2-150500.1.1?arch=x86_64"), "{purl}");
    let pause = all.iter().find(|one| one["name"] == "registry.k8s.io/pause").unwrap();
    assert!(pause["purl"].as_str().unwrap().starts_with("pkg:oci/pause@sha256%3A"), "{pause:#}");
    let musl = &pause["components"][0];
    assert_eq!(musl["purl"], "pkg:apk/demo/musl@1.2.5-r9?arch=amd64&distro=demo&upstream=musl");
    assert!(!pause.to_string().contains("kubeferry:unread"), "{pause:#}");
    let mut references: Vec<&str> =
        all.iter().map(|one| one["bom-ref"].as_str().unwrap()).collect();
    references.sort_unstable();
    references.dedup();
    assert_eq!(references.len(), all.len());
}

#[test]
fn a_bundle_of_an_older_version_gets_its_bill_when_it_is_asked_for() {
    let demo = Demo::start();
    demo.ok(&["lock"]);
    demo.ok(&["build", "-q"]);
    let wanted = demo.ok(&["sbom", "demo.tar"]);
    let bundle = Bundle::open(&demo.path("demo.tar")).unwrap();
    let is_repodata = |file: &&Content| matches!(file.path, BundlePath::Repodata { .. });
    let repodata: Vec<_> = bundle.contents().iter().filter(is_repodata).cloned().collect();
    let layout = Layout::new(bundle.lock(), &repodata).unwrap();
    let mut file = File::create(demo.path("older.tar")).unwrap();
    let open = |blob: &_| bundle.open_blob(blob).map_err(io::Error::other);
    writer::write(&mut file, &layout, open, |_| ()).unwrap();
    demo.ok(&["verify", "-q", "older.tar"]);
    assert!(Bundle::open(&demo.path("older.tar")).unwrap().sbom().is_none());
    assert_eq!(demo.ok(&["sbom", "older.tar"]), wanted);
}

#[test]
fn the_bill_is_valid_by_the_schema_of_cyclonedx() {
    const JSONSCHEMA: &str = "/usr/bin/jsonschema";
    if !Path::new(JSONSCHEMA).exists() {
        println!("skipped: {JSONSCHEMA} is not installed");
        return;
    }
    let demo = Demo::start();
    demo.ok(&["lock"]);
    demo.ok(&["build", "-q"]);
    demo.ok(&["sbom", "demo.tar", "--output", "bill.json"]);
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/it/cyclonedx/bom-1.6.schema.json");
    let judge = |bill: &str| {
        Command::new(JSONSCHEMA).arg("-i").arg(demo.path(bill)).arg(schema).output().unwrap()
    };
    let output = judge("bill.json");
    assert!(output.status.success(), "{output:?}");
    let bill = fs::read_to_string(demo.path("bill.json")).unwrap();
    fs::write(demo.path("bad.json"), bill.replacen("SHA-256", "SHA-257", 1)).unwrap();
    assert!(!judge("bad.json").status.success());
}

#[test]
fn an_installer_says_which_crates_it_is_made_of() {
    let installer = Path::new(BUNDLER).with_file_name("installer");
    if !installer.exists() {
        println!("skipped: {} is not built", installer.display());
        return;
    }
    let demo = Demo::start();
    let own = format!("installers: [{{architecture: x86_64, file: {}}}]\n", installer.display());
    demo.write_spec(&demo.spec().replace("installers: []\n", &own));
    demo.ok(&["lock"]);
    demo.ok(&["build", "-q"]);
    let bill = bill(&demo);
    let all = components(&bill);
    let installer = all.iter().find(|one| one["name"] == "Kubeferry installer").unwrap();
    let crates = installer["components"].as_array().unwrap();
    let of = |name: &str| crates.iter().filter(|one| one["name"] == name).count();
    assert_eq!((of("installer"), of("bundle-format"), of("rustix")), (1, 1, 1), "{crates:#?}");
    // Only what is linked in, and nothing of the machine that built it.
    assert_eq!((of("syn"), of("insta"), of("bundler")), (0, 0, 0));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    assert!(!installer["components"].to_string().contains(root.to_str().unwrap()));
}

#[test]
fn the_releases_in_between_are_in_the_bill_too() {
    let Some(demo) = hops::start() else { return };
    demo.ok(&["build", "-q"]);
    let bill = bill(&demo);
    let listed = demo.ok(&["extract", "--list", "demo.tar"]);
    let all = components(&bill);
    let paths = all.iter().flat_map(|one| one["properties"].as_array().unwrap());
    let paths: Vec<&str> = paths
        .filter(|own| own["name"] == "kubeferry:path")
        .map(|own| own["value"].as_str().unwrap())
        .collect();
    for version in ["1.29.90", "1.30.90", "1.31.90"] {
        let name = format!("/kubelet-{version}-");
        assert_eq!(paths.iter().filter(|path| path.contains(&name)).count(), 1, "{paths:#?}");
    }
    for path in paths {
        assert!(listed.lines().any(|line| line == path), "{path}");
    }
}
