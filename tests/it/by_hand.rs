//! docs/verify-by-hand.md: its commands run on a signed bundle, and notice what is wrong.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use bundle_format::lock::Lock;

use crate::support::demo::Demo;
use crate::trust_bundle::change_package;

/// Whether one of the tools is not here, with a word on it.
fn lacks_tools() -> bool {
    ["minisign", "jq", "rpmkeys", "rpmsign", "gpg", "skopeo"].iter().any(|tool| {
        let found = Command::new(tool).arg("--version").output();
        if found.is_err() {
            println!("skipped: {tool} is not installed");
        }
        found.is_err()
    })
}

/// All commands of the page, as one script.
fn script() -> String {
    let page = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/verify-by-hand.md"));
    let page = fs::read_to_string(page).unwrap();
    let blocks = page.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap()).collect()
}

/// Runs the page's commands in the demo's folder.
fn check(demo: &Demo) -> Output {
    drop(fs::remove_dir_all(demo.path("check")));
    Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script()])
        .current_dir(demo.folder.path())
        .env("HOME", demo.folder.path())
        .output()
        .unwrap()
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

/// A demo with a signed bundle.
fn signed() -> Demo {
    let demo = Demo::start();
    demo.ok(&["keygen", "--no-password", "site.key"]);
    demo.ok(&["build", "-q", "--sign", "site.key"]);
    demo
}

/// Makes the sums anew, as somebody would who changes a bundle.
fn sum_again(demo: &Demo) {
    let line = Command::new("sha256sum").arg("demo.tar").current_dir(demo.folder.path()).output();
    fs::write(demo.path("demo.tar.sha256"), line.unwrap().stdout).unwrap();
}

#[test]
fn every_command_of_the_page_accepts_a_good_bundle() {
    if lacks_tools() {
        return;
    }
    let demo = signed();
    let output = check(&demo);
    let said = words(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("Signature and comment signature verified"), "{said}");
    assert!(said.contains("demo.tar: OK"), "{said}");
    let packages = fs::read_to_string(demo.path("check/said")).unwrap();
    let lock = fs::read(demo.path("bundle.yaml.lock.json")).unwrap();
    let lock: Lock = serde_json::from_slice(&lock).unwrap();
    assert_eq!(packages.lines().count(), lock.rpms.len());
    let pause = lock.images.iter().find(|one| one.name.to_string() == "registry.k8s.io/pause:3.9");
    assert!(said.contains(&format!("{}  -", pause.unwrap().root.digest.hex())), "{said}");
    assert!(lock.images.iter().all(|one| said.contains(&one.root.digest.to_string())), "{said}");
}

#[test]
fn the_page_notices_a_changed_byte_wherever_it_is() {
    if lacks_tools() {
        return;
    }
    let demo = signed();
    let whole = fs::read(demo.path("demo.tar")).unwrap();
    let place = |words: &[u8]| {
        whole.windows(words.len()).position(|bytes| bytes == words).expect("it is in the bundle")
    };
    // The index, a package's magic number, and a layer or manifest of the end.
    let of_index = place(b"\"schemaVersion\"");
    let of_package = place(&[0xed, 0xab, 0xee, 0xdb]) + 200;
    let end = whole.iter().rposition(|byte| *byte != 0).unwrap();
    for (what, at, words) in [
        ("index", of_index, "Signature verification failed"),
        ("package", of_package, "FAILED"),
        ("last blob", end, "FAILED"),
    ] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(demo.path("demo.tar"), &changed).unwrap();
        let output = check(&demo);
        assert!(!output.status.success(), "{what}");
        let said = self::words(&output);
        assert!(said.contains("demo.tar: FAILED"), "{what}: {said}");
        // Somebody has changed the sums too.
        sum_again(&demo);
        let output = check(&demo);
        let said = self::words(&output);
        assert!(!output.status.success() && said.contains(words), "{what}: {said}");
        fs::write(demo.path("demo.tar"), &whole).unwrap();
        sum_again(&demo);
    }
    assert!(check(&demo).status.success());
}

#[test]
fn the_page_notices_another_bundle_and_a_package_that_nobody_signed() {
    if lacks_tools() {
        return;
    }
    let demo = signed();
    let signature = fs::read(demo.path("demo.tar.minisig")).unwrap();
    // Its maker takes a package without a signature, and gives a reason.
    let repository = demo.upstream.key_path("os").parent().unwrap().parent().unwrap().to_owned();
    change_package(&repository, "socat-", |package| {
        let output = Command::new("rpmsign").arg("--delsign").arg(package).output().unwrap();
        assert!(output.status.success(), "{}", words(&output));
    });
    let off = "gpgcheck: {off: tried here}\n        repoGpgcheck: {off: tried here}";
    let off = format!("- {off}\n        plainHttp: tried here\n        id: os");
    demo.write_spec(&demo.spec().replacen("- id: os", &off, 1));
    demo.ok(&["lock"]);
    demo.ok(&["build", "-q", "--sign", "site.key"]);
    let output = check(&demo);
    assert!(!output.status.success(), "{}", words(&output));
    let said = fs::read_to_string(demo.path("check/said")).unwrap();
    let unsigned: Vec<_> = said.lines().filter(|line| !line.ends_with("signatures OK")).collect();
    assert!(unsigned.len() == 1 && unsigned[0].contains("socat-"), "{said}");
    assert!(unsigned[0].ends_with(": digests OK"), "{said}");
    // With the signature of the first one.
    fs::write(demo.path("demo.tar.minisig"), &signature).unwrap();
    let output = check(&demo);
    let said = words(&output);
    assert!(!output.status.success() && said.contains("Signature verification failed"), "{said}");
}
