//! Local files that were edited, moved or removed after the lock was made.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::demo::{BUNDLER, Demo, run_in};

const MANIFEST: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: own}\ndata: {a: '1'}\n";

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-r").arg(from).arg(to).status().unwrap().success());
}

/// A package of the local repository.
fn package(demo: &Demo) -> PathBuf {
    let found = Command::new("find")
        .arg(demo.path("site/repo"))
        .args(["-name", "containerd.io-1.6*.rpm"])
        .output()
        .unwrap();
    PathBuf::from(String::from_utf8(found.stdout).unwrap().trim())
}

/// A spec in the folder `site` in which as much as can be is a local file.
fn site() -> Demo {
    let demo = Demo::start();
    let site = demo.path("site");
    fs::create_dir_all(site.join("keys")).unwrap();
    let key = demo.upstream.key_path("docker-ce");
    copy(key.parent().unwrap().parent().unwrap(), &site.join("repo"));
    fs::copy(demo.upstream.key_path("os"), site.join("keys/os.asc")).unwrap();
    fs::write(site.join("own.yaml"), MANIFEST).unwrap();
    fs::write(site.join("node.txt"), "tzdata\t2023c-1.el9\tnoarch\n").unwrap();
    let signed = rcgen::generate_simple_self_signed(vec!["r.io".to_owned()]).unwrap();
    fs::write(site.join("ca.pem"), signed.cert.pem()).unwrap();
    fs::write(site.join("program"), "#!/bin/sh\necho one\n").unwrap();
    let repository = format!("file://{}/", site.join("repo").display());
    let spec = demo.spec();
    let (spec, _) = spec.split_once("installers:").unwrap();
    let spec = spec
        .replace(
            "URL/docker-ce/repodata/repomd.xml.key",
            &format!("{repository}repodata/repomd.xml.key"),
        )
        .replace("URL/docker-ce/", &repository)
        .replace("URL/os/repodata/repomd.xml.key", "keys/os.asc")
        .replace(
            "    architecture: x86_64\n",
            "    architecture: x86_64\n    baseline: {packages: node.txt}\n",
        )
        .replace("manifests:\n", "manifests:\n  - {name: own, file: own.yaml}\n")
        .replace("registries:\n", "registries:\n  r.io: {ca: ca.pem}\n");
    let spec = format!("{spec}installers: [{{architecture: x86_64, file: program}}]\n");
    demo.write_spec(&spec);
    fs::rename(demo.path("bundle.yaml"), site.join("bundle.yaml")).unwrap();
    demo
}

#[test]
fn whatever_was_edited_after_the_lock_is_told_before_anything_is_fetched() {
    let demo = site();
    demo.ok(&["lock", "site/bundle.yaml"]);
    demo.ok(&["build", "-q", "site/bundle.yaml"]);
    let good = fs::read(demo.path("demo.tar")).unwrap();
    let metadata = "site/repo/repodata/repomd.xml";
    let rpm = package(&demo);
    let rpm = rpm.strip_prefix(demo.folder.path()).unwrap().to_str().unwrap();
    let files = [
        ("site/own.yaml", "manifest `own`"),
        ("site/keys/os.asc", "the key keys/os.asc"),
        ("site/repo/repodata/repomd.xml.key", "the key file://"),
        ("site/node.txt", "the package list node.txt"),
        ("site/ca.pem", "the certificate for registry r.io"),
        ("site/program", "the installer for x86_64"),
        (metadata, "repository `docker-ce`"),
        (rpm, "containerd.io-1.6.25-3.1.el9.x86_64"),
    ];
    for (name, what) in files {
        let old = fs::read(demo.path(name)).unwrap();
        let mut new = old.clone();
        new.extend_from_slice(b"\n");
        fs::write(demo.path(name), new).unwrap();
        let before = demo.upstream.requests();
        for cache in ["cache", "empty"] {
            for more in [&[] as &[&str], &["--locked"]] {
                let arguments =
                    [&["build", "-q", "site/bundle.yaml", "-o", "n.tar"], more].concat();
                let output = run_in(demo.folder.path(), &demo.path(cache), &arguments);
                let error = String::from_utf8_lossy(&output.stderr);
                assert_eq!(output.status.code(), Some(1), "{name}: {error}");
                let end =
                    format!(" has changed since the lock was made: {}", demo.path(name).display());
                let is_told = |line: &str| line.trim().starts_with(what) && line.ends_with(&end);
                assert_eq!(error.lines().filter(|line| is_told(line)).count(), 1, "{error}");
                assert!(error.contains("run `bundler lock`"), "{error}");
            }
        }
        assert_eq!(demo.upstream.requests().blobs, before.blobs, "{name}");
        assert_eq!(demo.upstream.requests().packages, before.packages, "{name}");
        fs::remove_file(demo.path(name)).unwrap();
        let error = demo.fails(&["build", "-q", "site/bundle.yaml", "-o", "n.tar"]);
        let words = ["is not there any more", "no such file"];
        assert!(words.iter().any(|words| error.contains(words)), "{name}: {error}");
        fs::write(demo.path(name), old).unwrap();
        assert!(!demo.path("n.tar").exists());
    }
    // All of them at once.
    for (name, _) in &files[..3] {
        let old = fs::read(demo.path(name)).unwrap();
        fs::write(demo.path(&format!("{name}.old")), &old).unwrap();
        fs::write(demo.path(name), [&old[..], b"\n"].concat()).unwrap();
    }
    let error = demo.fails(&["build", "-q", "site/bundle.yaml"]);
    assert_eq!(error.matches(" has changed since ").count(), 3, "{error}");
    for (name, _) in &files[..3] {
        fs::rename(demo.path(&format!("{name}.old")), demo.path(name)).unwrap();
    }
    // And as it was, it is the bundle that it was.
    demo.ok(&["build", "-q", "site/bundle.yaml", "-o", "n.tar"]);
    assert!(fs::read(demo.path("n.tar")).unwrap() == good);
}

#[test]
fn only_the_bytes_count_wherever_they_lie() {
    let demo = site();
    demo.ok(&["lock", "site/bundle.yaml"]);
    // From another folder, by a link, with other times.
    fs::rename(demo.path("site/own.yaml"), demo.path("elsewhere.yaml")).unwrap();
    symlink("../elsewhere.yaml", demo.path("site/own.yaml")).unwrap();
    fs::write(demo.path("site/program"), "#!/bin/sh\necho one\n").unwrap();
    let folder = demo.path("site/keys");
    let output = run_in(&folder, &demo.path("cache"), &["build", "-q", "../bundle.yaml"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::write(demo.path("elsewhere.yaml"), MANIFEST.replace("'1'", "'2'")).unwrap();
    let error = demo.fails(&["build", "-q", "site/bundle.yaml"]);
    assert!(error.contains("manifest `own`"), "{error}");
    demo.ok(&["lock", "site/bundle.yaml"]);
    demo.ok(&["build", "-q", "site/bundle.yaml"]);
    // A lock of an earlier version does not say all, and what it says counts.
    let path = demo.path("site/bundle.yaml.lock.json");
    let mut lock: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(lock["inputs"].as_array().unwrap().len(), 4);
    lock.as_object_mut().unwrap().remove("inputs");
    fs::write(&path, lock.to_string()).unwrap();
    demo.ok(&["build", "-q", "site/bundle.yaml"]);
    fs::write(demo.path("site/program"), "#!/bin/sh\necho two\n").unwrap();
    let error = demo.fails(&["build", "-q", "site/bundle.yaml"]);
    assert!(error.contains("the installer for x86_64"), "{error}");
}

#[test]
fn a_bundle_never_takes_the_place_of_what_it_is_made_of() {
    let demo = site();
    let plain = fs::read_to_string(demo.path("site/bundle.yaml")).unwrap();
    let more = "  - {name: own, file: own.yaml}\n  - {name: sums, file: other.tar.sha256}\n";
    let spec = plain.replace("  - {name: own, file: own.yaml}\n", more);
    fs::write(demo.path("site/bundle.yaml"), spec).unwrap();
    let other = MANIFEST.replace("name: own", "name: other");
    fs::write(demo.path("site/other.tar.sha256"), &other).unwrap();
    symlink("own.yaml", demo.path("site/link.tar")).unwrap();
    demo.ok(&["lock", "site/bundle.yaml"]);
    let rpm = package(&demo);
    let rpm = rpm.strip_prefix(demo.folder.path()).unwrap().to_str().unwrap();
    for (output, place) in [
        ("site/bundle.yaml", "site/bundle.yaml"),
        ("site/../site/bundle.yaml", "site/../site/bundle.yaml"),
        ("site/bundle.yaml.lock.json", "site/bundle.yaml.lock.json"),
        ("site/own.yaml", "site/own.yaml"),
        ("site/link.tar", "site/link.tar"),
        ("site/other.tar", "site/other.tar.sha256"),
        ("site/keys/os.asc", "site/keys/os.asc"),
        ("site/node.txt", "site/node.txt"),
        ("site/ca.pem", "site/ca.pem"),
        ("site/program", "site/program"),
        ("site/repo/repodata/repomd.xml", "site/repo/repodata/repomd.xml"),
        (rpm, rpm),
    ] {
        let before = fs::read(demo.path(place)).unwrap();
        for split in [&[] as &[&str], &["--split", "1MiB"]] {
            let build = ["build", "-q", "site/bundle.yaml", "-o", output];
            let error = demo.fails(&[&build, split].concat());
            assert!(error.contains(&format!("{place} exists, and it is no ")), "{output}: {error}");
        }
        assert!(fs::read(demo.path(place)).unwrap() == before, "{output}");
    }
    // Nor does the installer that is put beside the bundle.
    fs::write(demo.path("site/installer"), &other).unwrap();
    let more = "  - {name: own, file: own.yaml}\n  - {name: beside, file: installer}\n";
    let spec = plain.replace("  - {name: own, file: own.yaml}\n", more);
    fs::write(demo.path("site/bundle.yaml"), spec).unwrap();
    demo.ok(&["lock", "site/bundle.yaml"]);
    let error = demo.fails(&["build", "-q", "site/bundle.yaml", "-o", "site/x.tar"]);
    let words =
        "would replace manifest `beside`, which the bundle is made from: choose another --output";
    assert!(error.contains(words), "{error}");
    assert_eq!(fs::read_to_string(demo.path("site/installer")).unwrap(), other);
    // An installer that is there already, where the spec has it, stays.
    fs::rename(demo.path("site/program"), demo.path("site/installer")).unwrap();
    let spec = plain.replace("file: program", "file: installer");
    fs::write(demo.path("site/bundle.yaml"), spec).unwrap();
    demo.ok(&["lock", "site/bundle.yaml"]);
    demo.ok(&["build", "-q", "site/bundle.yaml", "-o", "site/x.tar"]);
}

#[test]
fn the_installer_beside_bundler_is_such_a_file() {
    let demo = Demo::start();
    let spec = demo.spec();
    demo.write_spec(&spec.replace("installers: []\n", ""));
    fs::create_dir(demo.path("bin")).unwrap();
    let own = demo.path("bin/bundler");
    fs::copy(BUNDLER, &own).unwrap();
    let beside = demo.path("bin/installer");
    let run = |command: &str| {
        let mut process = Command::new(&own);
        process.args([command, "bundle.yaml"]).current_dir(demo.folder.path());
        let output = process.env("XDG_CACHE_HOME", demo.path("cache")).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert!(run("lock").0);
    fs::write(&beside, "one").unwrap();
    let (done, error) = run("build");
    assert!(!done && error.contains("was not there when the lock was made"), "{error}");
    assert!(run("lock").0);
    assert!(run("build").0);
    fs::write(&beside, "two").unwrap();
    let (done, error) = run("build");
    assert!(!done && error.contains("the installer for x86_64 has changed"), "{error}");
    fs::remove_file(&beside).unwrap();
    let (done, error) = run("build");
    assert!(!done && error.contains("is not there any more: it was beside bundler"), "{error}");
}
