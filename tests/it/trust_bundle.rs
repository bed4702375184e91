//! What trust comes to in the end: what is built, and which keys nodes are given.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use bundle_format::archive::reader::Bundle;
use bundle_format::lock::FileKind;
use bundle_format::{BundlePath, Digest, Lock};

use crate::hostile_bundle::rewritten;
use crate::support::demo::{self, Demo, run_in};
use crate::support::gpg::{Gpg, is_missing};

fn one(folder: &Path, part: &str) -> PathBuf {
    let mut names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    names.find(|path| path.to_str().unwrap().contains(part)).unwrap()
}

fn gunzip(bytes: &[u8]) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// Puts another payload behind a package's signed header, and its checksum into
/// the metadata, as whoever holds a mirror can.
fn change_payload(repository: &Path, name: &str) {
    change_package(repository, name, |package| {
        let mut bytes = fs::read(package).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(package, &bytes).unwrap();
    });
}

/// Lets `change` write a package anew, and mends the metadata, but not its
/// signature.
pub(crate) fn change_package(repository: &Path, name: &str, change: impl FnOnce(&Path)) {
    let package = one(&repository.join("Packages"), name);
    let before = fs::read(&package).unwrap();
    change(&package);
    let after = fs::read(&package).unwrap();
    let primary = one(&repository.join("repodata"), "primary.xml.gz");
    let old = fs::read(&primary).unwrap();
    let old_text = gunzip(&old);
    let hex = |bytes: &[u8]| Digest::of(bytes).hex();
    let size = |bytes: &[u8]| format!("package=\"{}\"", bytes.len());
    let new_text =
        old_text.replace(&hex(&before), &hex(&after)).replace(&size(&before), &size(&after));
    assert!(new_text != old_text);
    let new = gzip(&new_text);
    fs::write(&primary, &new).unwrap();
    let repomd = repository.join("repodata/repomd.xml");
    let text = fs::read_to_string(&repomd).unwrap();
    let text = text
        .replace(&format!(">{}<", hex(&old)), &format!(">{}<", hex(&new)))
        .replace(&hex(old_text.as_bytes()), &hex(new_text.as_bytes()))
        .replace(&format!("<size>{}<", old.len()), &format!("<size>{}<", new.len()));
    fs::write(&repomd, text).unwrap();
}

#[test]
fn another_payload_behind_a_signed_header_stops_the_build() {
    let demo = Demo::start();
    let key = demo.upstream.key_path("kubernetes");
    change_payload(key.parent().unwrap().parent().unwrap(), "kubelet");
    // Metadata that is signed would not be taken from there.
    assert!(demo.fails(&["lock"]).contains("is wrong: the file was changed"));
    let keys = "keys: [URL/kubernetes/repodata/repomd.xml.key]\n";
    for gpgcheck in ["", "        gpgcheck: {off: tried here}\n"] {
        let off = format!("{keys}        repoGpgcheck: {{off: tried here}}\n{gpgcheck}");
        let spec = demo.spec();
        demo.write_spec(&spec.replace(keys, &off));
        demo.ok(&["lock"]);
        let error = demo.fails(&["build", "-q"]);
        assert!(error.contains("kubelet-1.28.2"), "{error}");
        assert!(error.contains("damaged, or changed after it was made"), "{error}");
        assert!(!demo.path("demo.tar").exists());
        demo.write_spec(&spec);
    }
}

/// Another repository's key is a good key too, but not for this one.
#[test]
fn metadata_counts_only_if_its_own_repositorys_key_signed_it() {
    let demo = Demo::start();
    let keys = "keys: [URL/kubernetes/repodata/repomd.xml.key]\n";
    let off = format!("{keys}        gpgcheck: {{off: tried here}}\n");
    demo.write_spec(&demo.spec().replace(keys, &off));
    demo.ok(&["build", "-q"]);
    let swap = |lock: &mut Lock| {
        let repositories = &mut lock.targets[0].repositories;
        let other = repositories.iter().find(|one| one.id == "os").unwrap().keys[0].clone();
        let own = repositories.iter_mut().find(|one| one.id == "kubernetes").unwrap();
        assert!(own.keys.is_empty() && own.repomd_signed_by.as_ref() != Some(&other));
        own.repomd_signed_by = Some(other);
    };
    rewritten(&demo, swap, &[]);
    let words = "repository el9-x86_64/kubernetes: its metadata is signed with ";
    let error = demo.fails(&["audit", "-q", "other.tar"]);
    assert!(error.contains(words) && error.contains(", which is none of its keys"), "{error}");
    let path = demo.path("bundle.yaml.lock.json");
    let mut lock: Lock = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    swap(&mut lock);
    fs::write(&path, serde_json::to_vec(&lock).unwrap()).unwrap();
    let error = demo.fails(&["build", "-q"]);
    assert!(error.contains(words), "{error}");
}

/// A build asks only the places of the spec, whatever somebody wrote into the lock.
#[test]
fn a_lock_that_leads_elsewhere_does_not_fit() {
    let demo = Demo::start();
    demo.ok(&["lock"]);
    let path = demo.path("bundle.yaml.lock.json");
    let whole: Lock = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    type Change = fn(&mut Lock);
    let elsewhere = "https://elsewhere.invalid/";
    let cases: [(Change, &str); 6] = [
        (
            |lock| lock.manifests[0].source = "https://elsewhere.invalid/".to_owned(),
            "manifest calico is from https://elsewhere.invalid/, but the spec says http://",
        ),
        (
            |lock| lock.files[0].source = "https://elsewhere.invalid/".to_owned().into(),
            "is from https://elsewhere.invalid/, but the spec says http://",
        ),
        (
            |lock| {
                let mut key = lock.files[0].clone();
                let BundlePath::Key { number, .. } = &mut key.path else { unreachable!() };
                *number = 9;
                lock.files.push(key);
            },
            "nothing asks for keys/",
        ),
        (
            |lock| {
                let own = &mut lock.targets[0].repositories[0];
                own.base_url = "https://elsewhere.invalid/".parse().unwrap();
            },
            "repository el9-x86_64/os is from https://elsewhere.invalid/, but the spec says http://",
        ),
        (
            |lock| lock.rpms[0].source = "http://elsewhere.invalid/a.rpm".parse().unwrap(),
            "its place http://elsewhere.invalid/a.rpm leads away from http://",
        ),
        // Metadata may name another host, with https. A query could tell it something.
        (
            |lock| lock.rpms[0].source = "https://elsewhere.invalid/a.rpm?b".parse().unwrap(),
            "holds a `?`",
        ),
    ];
    for (change, words) in cases {
        let mut lock = whole.clone();
        change(&mut lock);
        fs::write(&path, serde_json::to_vec(&lock).unwrap()).unwrap();
        let error = demo.fails(&["build", "-q"]);
        assert!(error.contains("does not fit") && error.contains(words), "{words}: {error}");
        assert!(!error.contains(&format!("{elsewhere}: ")), "nobody was asked: {error}");
    }
}

#[test]
fn copies_of_a_key_reach_nodes_as_one() {
    if is_missing() {
        return;
    }
    // A key that was renewed, and which lies about in both copies: one of them
    // at another repository.
    let demo = Demo::start();
    let gpg = Gpg::new();
    let made = 1_700_000_000;
    gpg.ok(made, &["--quick-gen-key", "Owner <owner@keys.invalid>", "rsa2048", "sign", "30d"]);
    let fingerprint = gpg.fingerprints().remove(0);
    let export = |name: &str| {
        let path = demo.path(name);
        gpg.ok(made, &["--armor", "--output", path.to_str().unwrap(), "--export"]);
    };
    export("old.asc");
    gpg.ok(made + 86_400, &["--quick-set-expire", &fingerprint, "20y"]);
    export("new.asc");
    let spec = demo
        .spec()
        .replace("[URL/os/repodata", "[old.asc, new.asc, URL/os/repodata")
        .replace("[URL/docker-ce/repodata", "[old.asc, URL/docker-ce/repodata");
    demo.write_spec(&spec);
    demo.ok(&["build", "-q"]);

    let text = fs::read_to_string(demo.path("bundle.yaml.lock.json")).unwrap();
    let lock: Lock = serde_json::from_str(&text).unwrap();
    for repository in &lock.targets[0].repositories {
        let distinct: BTreeSet<_> = repository.keys.iter().collect();
        assert_eq!(distinct.len(), repository.keys.len(), "{:?}", repository.keys);
        let is_here = repository.keys.contains(&fingerprint);
        assert_eq!(is_here, repository.id != "kubernetes", "{}", repository.id);
    }
    let bundle = Bundle::open(&demo.path("demo.tar")).unwrap();
    let mut carried = BTreeSet::new();
    for file in lock.files.iter().filter(|file| file.kind == FileKind::Key) {
        let bytes = bundle.read(&file.content).unwrap();
        let source = file.source.to_string();
        if source.ends_with("old.asc") || source.ends_with("new.asc") {
            carried.insert(bytes);
        } else {
            // Whose key has one copy only is given the vendor's own file.
            let BundlePath::Key { repository, .. } = &file.path else { unreachable!() };
            let published = fs::read(demo.upstream.key_path(repository)).unwrap();
            assert_eq!(bytes, published, "{}", file.path);
        }
    }
    assert_eq!(carried.len(), 1, "rpm keeps the first copy that it meets");
    for bytes in &carried {
        let node = Gpg::new();
        let path = node.folder().join("key");
        fs::write(&path, bytes).unwrap();
        node.ok(made, &["--import", path.to_str().unwrap()]);
        let list = node.ok(made + 400 * 86_400, &["--with-colons", "--list-keys"]);
        assert!(list.contains("pub:u:") || list.contains("pub:-:"), "{list}");
    }

    // The lock says what is carried, also where nothing of it is cached.
    let other = tempfile::tempdir().unwrap();
    for name in ["bundle.yaml", "bundle.yaml.lock.json", "old.asc", "new.asc"] {
        fs::copy(demo.path(name), other.path().join(name)).unwrap();
    }
    let cache = other.path().join("cache");
    let output = run_in(other.path(), &cache, &["build", "-q", "--output", "demo.tar"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(
        fs::read(demo.path("demo.tar")).unwrap()
            == fs::read(other.path().join("demo.tar")).unwrap()
    );
    // Another key than when the lock was made is told.
    fs::copy(demo.upstream.key_path("kubernetes"), other.path().join("old.asc")).unwrap();
    fs::remove_dir_all(&cache).unwrap();
    let output = run_in(other.path(), &cache, &["build", "-q", "--output", "again.tar"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("the key old.asc has changed since the lock was made"), "{error}");
}

/// rpm 4.11 of el7 knows no subkeys (nvidia-docker#1087).
#[test]
fn what_a_subkey_signs_is_not_for_el7() {
    if is_missing() || is_rpm_missing() {
        return;
    }
    let demo = Demo::start();
    let gpg = Gpg::new();
    let made = 1_700_000_000;
    gpg.ok(made, &["--quick-gen-key", "Owner <owner@keys.invalid>", "rsa2048", "sign", "never"]);
    let fingerprint = gpg.fingerprints().remove(0);
    gpg.ok(made, &["--quick-add-key", &fingerprint, "rsa2048", "sign", "never"]);
    let subkey = gpg.fingerprints().remove(1);
    let key = demo.path("both.asc");
    gpg.ok(made, &["--armor", "--output", key.to_str().unwrap(), "--export"]);
    let vendor = demo.upstream.key_path("kubernetes");
    let repository = vendor.parent().unwrap().parent().unwrap().to_owned();
    let sign = |name: &str, key: &str| {
        change_package(&repository, name, |package| {
            let output = Command::new("rpmsign")
                .args(["--define", &format!("_gpg_path {}", gpg.folder().display())])
                .args(["--define", "__gpg /usr/bin/gpg"])
                .args(["--define", &format!("_gpg_name {key}!"), "--resign"])
                .arg(package)
                .output()
                .unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        });
    };
    sign("kubelet-1.28.2", &subkey);
    sign("kubectl-1.28.2", &subkey);
    sign("kubeadm-1.28.2", &fingerprint);
    let keys = "keys: [URL/kubernetes/repodata/repomd.xml.key]\n";
    let off = "        repoGpgcheck: {off: tried here}\n";
    let both = "keys: [URL/kubernetes/repodata/repomd.xml.key, both.asc]\n";
    let el9 = demo.spec().replace(keys, &format!("{both}{off}"));
    demo.write_spec(&el9);
    demo.ok(&["build", "-q"]);
    fs::remove_file(demo.path("demo.tar")).unwrap();

    let el7 = el9.replace("family: el9", "family: el7");
    demo.write_spec(&el7);
    demo.ok(&["lock"]);
    let error = demo.fails(&["build", "-q"]);
    let refused: Vec<&str> =
        error.lines().filter(|line| line.contains("el7's rpm (4.11) knows no subkeys")).collect();
    assert_eq!(refused.len(), 2, "{error}");
    assert!(refused.iter().all(|line| line.contains(&subkey)), "{error}");
    assert!(error.contains("kubelet-1.28.2") && error.contains("kubectl-1.28.2"), "{error}");
    assert_eq!(error.matches("ask the vendor for packages").count(), 1, "{error}");
    assert!(!demo.path("demo.tar").exists());

    // Nothing that this repository could hold is for el7.
    gpg.ok(made, &["--quick-gen-key", "Main <main@keys.invalid>", "rsa2048", "cert", "never"]);
    let main = gpg.fingerprints().into_iter().find(|one| *one != fingerprint && *one != subkey);
    gpg.ok(made, &["--quick-add-key", &main.unwrap(), "rsa2048", "sign", "never"]);
    let path = demo.path("subkey.asc");
    let arguments = ["--armor", "--output", path.to_str().unwrap(), "--export"];
    gpg.ok(made, &[&arguments[..], &["main@keys.invalid"]].concat());
    demo.write_spec(&el7.replace(both, "keys: [subkey.asc]\n"));
    let error = demo.fails(&["lock"]);
    for name in ["kubelet-1.28.2", "kubectl-1.28.2", "kubeadm-1.28.2"] {
        assert!(error.contains(name), "{error}");
    }
    assert!(error.contains("cannot check these packages"), "{error}");
    demo.write_spec(&el9.replace(both, "keys: [subkey.asc]\n"));
    let error = demo.fails(&["lock"]);
    assert!(error.contains("kubeadm-1.28.2") && error.contains("signed with key"), "{error}");
}

/// rpm has one copy of a key, the first: what it is given of each must hold.
#[test]
fn rpm_takes_what_nodes_are_given() {
    if is_missing() || is_rpm_missing() {
        return;
    }
    let gpg = Gpg::new();
    let made = 1_700_000_000;
    gpg.ok(made, &["--quick-gen-key", "Owner <owner@keys.invalid>", "rsa2048", "cert", "never"]);
    let fingerprint = gpg.fingerprints().remove(0);
    let old = gpg.ok(made, &["--armor", "--export"]).into_bytes();
    gpg.ok(made + 5, &["--quick-add-key", &fingerprint, "rsa2048", "sign", "30d"]);
    let subkey = gpg.fingerprints().remove(1);
    gpg.ok(made + 86_400, &["--quick-set-expire", &fingerprint, "20y", &subkey]);
    let new = gpg.ok(made, &["--armor", "--export"]).into_bytes();
    let mut keyring = bundler::rpm::key::Keyring::default();
    keyring.add("old", &old).unwrap();
    keyring.add("new", &new).unwrap();
    let united = keyring.united(&old).unwrap().unwrap();

    let provided = provided_by_rpm(&united);
    for id in [&fingerprint, &subkey] {
        assert!(provided.contains(&id[24..].to_lowercase()), "{id}: {provided}");
    }
}

/// What a node's rpm has when it has imported the file: key ids in lower case.
fn provided_by_rpm(file: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let db = format!("_dbpath {}", folder.path().join("db").display());
    let key = folder.path().join("key");
    fs::write(&key, file).unwrap();
    let output =
        Command::new("rpmkeys").args(["--define", &db, "--import"]).arg(&key).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = Command::new("rpm")
        .args(["--define", &db, "-q", "gpg-pubkey", "--qf", "[%{provides}\n]"])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().to_lowercase()
}

pub(crate) fn is_rpm_missing() -> bool {
    let found = Command::new("rpmkeys").arg("--version").output();
    let is_missing = !found.is_ok_and(|output| output.status.success());
    if is_missing {
        println!("skipped: rpmkeys is not installed");
    }
    is_missing
}

/// Vendors publish keys in forms that rpm does not import. Those that it does are
/// carried as they are.
#[test]
fn rpm_imports_a_key_file_of_any_form() {
    if is_missing() || is_rpm_missing() {
        return;
    }
    let gpg = Gpg::new();
    let at = 1_700_000_000;
    for name in ["one", "two"] {
        let user = format!("{name} <{name}@keys.invalid>");
        gpg.ok(at, &["--quick-gen-key", &user, "rsa2048", "sign", "never"]);
    }
    let ids = gpg.fingerprints();
    let export = |arguments: &[&str]| {
        let path = gpg.folder().join("export");
        gpg.ok(at, &[&["--output", path.to_str().unwrap()], arguments].concat());
        fs::read(path).unwrap()
    };
    let armored = |id: &str| String::from_utf8(export(&["--armor", "--export", id])).unwrap();
    let (one, two) = (armored(&ids[0]), armored(&ids[1]));
    let both = String::from_utf8(export(&["--armor", "--export"])).unwrap();
    let with_header = |header: &str| one.replacen("\n\n", &format!("\n{header}\n\n"), 1);
    let sum = one.lines().find(|line| line.starts_with('=')).unwrap();
    let without_sum = one.replace(&format!("{sum}\n"), "");
    let signature = "-----BEGIN PGP SIGNATURE-----\n\nAAAA\n=AAAA\n-----END PGP SIGNATURE-----\n";

    let as_they_are = [
        ("one block", one.clone(), 1),
        ("two blocks", format!("{one}{two}"), 2),
        ("two keys in one block", both, 2),
        ("text around blocks", format!("Our keys\n\n{one}and\n{two}That is all.\n"), 2),
        ("headers", with_header("Version: GnuPG v2.0.22 (GNU/Linux)\nComment: ours"), 1),
        ("no line end at the end", one.trim_end().to_owned(), 1),
    ];
    for (form, file, keys) in as_they_are {
        let carried = carried(form, file.as_bytes());
        assert!(carried == file.as_bytes(), "{form}");
        assert_imported(form, &carried, &ids[..keys]);
    }
    let others = [
        ("binary", export(&["--export", &ids[0]]), 1),
        ("two keys in one binary file", export(&["--export"]), 2),
        ("no checksum", without_sum.clone().into_bytes(), 1),
        ("no checksum in the second", format!("{two}{without_sum}").into_bytes(), 2),
        ("a wrong checksum", one.replace(sum, "=AAAA").into_bytes(), 1),
        ("an unknown header", with_header("Note: ours").into_bytes(), 1),
        ("a space after the last line", format!("{} \n", one.trim_end()).into_bytes(), 1),
        ("carriage returns", one.replace('\n', "\r\n").into_bytes(), 1),
        ("text before the first line", format!("key: {one}").into_bytes(), 1),
        ("a zero byte before the block", format!("\0\n{one}").into_bytes(), 1),
        ("a block of another kind", format!("{one}{signature}").into_bytes(), 1),
    ];
    for (form, file, keys) in others {
        let carried = carried(form, &file);
        assert_imported(form, &carried, &ids[..keys]);
        assert!(carried != file, "{form}");
    }
}

fn carried(form: &str, file: &[u8]) -> Vec<u8> {
    let mut keyring = bundler::rpm::key::Keyring::default();
    keyring.add(form, file).unwrap();
    let carried = keyring.united(file).unwrap().unwrap_or_else(|| file.to_vec());
    // What is carried stays as it is when it is read again.
    assert!(keyring.united(&carried).unwrap().is_none(), "{form}");
    carried
}

fn assert_imported(form: &str, file: &[u8], ids: &[String]) {
    let provided = provided_by_rpm(file);
    for id in ids {
        assert!(provided.contains(&id[24..].to_lowercase()), "{form}: {id}: {provided}");
    }
}

#[test]
fn a_login_file_that_is_named_and_not_there_is_told() {
    let demo = Demo::start();
    let output = Command::new(demo::BUNDLER)
        .arg("lock")
        .current_dir(demo.folder.path())
        .env("XDG_CACHE_HOME", demo.path("cache"))
        .env("HOME", demo.folder.path())
        .env("REGISTRY_AUTH_FILE", demo.path("gone.json"))
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("gone.json, which does not exist"), "{error}");
    assert!(!demo.path("bundle.yaml.lock.json").exists());
}
