//! Who signed the metadata of a repository, how, and until when: what `lock`, `audit` and
//! `report` say of it.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use bundle_format::Lock;
use bundle_format::lock::LockedRepository;
use serde_json::Value;

use crate::hostile_bundle::rewritten;
use crate::support::demo::Demo;
use crate::support::gpg::{Gpg, is_missing};

const KEYS: &str = "keys: [URL/kubernetes/repodata/repomd.xml.key]\n";

/// A vendor who signs the metadata of the demo's `kubernetes` with a key of its own.
struct Vendor {
    demo: Demo,
    gpg: Gpg,
    now: u64,
}

impl Vendor {
    /// With a key that ends after a time, in gpg's words.
    fn start(end: &str) -> Self {
        let (demo, gpg) = (Demo::start(), Gpg::new());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() - 60;
        gpg.ok(now, &["--quick-gen-key", "Lists <lists@keys.invalid>", "rsa2048", "sign", end]);
        Self { demo, gpg, now }
    }

    /// Publishes the key beside the spec.
    fn publish(&self, more: &str) {
        let path = self.demo.path("lists.asc");
        self.gpg.ok(self.now, &["--armor", "--output", path.to_str().unwrap(), "--export"]);
        let keys = "keys: [URL/kubernetes/repodata/repomd.xml.key, lists.asc]\n";
        self.demo.write_spec(&self.demo.spec().replace(KEYS, &format!("{keys}{more}")));
    }

    /// Signs the metadata, with a signature for each hash.
    fn sign(&self, hashes: &[&str]) {
        self.sign_with(&[], hashes);
    }

    fn sign_armored(&self, hashes: &[&str]) {
        self.sign_with(&["--armor"], hashes);
    }

    fn sign_with(&self, options: &[&str], hashes: &[&str]) {
        let repodata = self.demo.upstream.key_path("kubernetes").parent().unwrap().to_owned();
        let repomd = repodata.join("repomd.xml");
        let mut all = Vec::new();
        for hash in hashes {
            let path = self.gpg.folder().join("signature");
            let (to, from) = (path.to_str().unwrap(), repomd.to_str().unwrap());
            let how = ["--digest-algo", hash, "--output", to, "--detach-sign", from];
            self.gpg.ok(self.now + 1, &[options, &how].concat());
            all.extend(fs::read(&path).unwrap());
            fs::remove_file(&path).unwrap();
        }
        fs::write(repodata.join("repomd.xml.asc"), all).unwrap();
    }

    /// The repository in the lock, and the lock's warnings of SHA-1.
    fn locked(&self) -> (LockedRepository, Vec<String>) {
        let bytes = fs::read(self.demo.path("bundle.yaml.lock.json")).unwrap();
        let mut lock: Lock = serde_json::from_slice(&bytes).unwrap();
        lock.warnings.retain(|words| words.contains("SHA-1"));
        (kubernetes(&mut lock).clone(), lock.warnings)
    }

    fn audit(&self, bundle: &str) -> Value {
        serde_json::from_str(&self.demo.ok(&["audit", "--json", bundle])).unwrap()
    }

    /// The words of the page.
    fn page(&self) -> String {
        self.demo.ok(&["report", "--output", "report.html", "demo.tar"]);
        fs::read_to_string(self.demo.path("report.html")).unwrap()
    }
}

fn kubernetes(lock: &mut Lock) -> &mut LockedRepository {
    lock.targets[0].repositories.iter_mut().find(|own| own.id == "kubernetes").unwrap()
}

/// What the audit says of the metadata of `kubernetes`.
fn metadata(audit: &Value) -> &Value {
    let mut all = audit["metadata"].as_array().unwrap().iter();
    &all.find(|one| one["what"] == "metadata el9-x86_64/kubernetes").unwrap()["voucher"]
}

#[test]
fn sha_1_over_metadata_is_told_by_all_and_a_better_signature_comes_first() {
    if is_missing() {
        return;
    }
    let vendor = Vendor::start("never");
    let (demo, key) = (&vendor.demo, vendor.gpg.fingerprints().remove(0));
    vendor.publish("");
    vendor.sign(&["SHA1"]);
    let output = demo.run(&["lock"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{error}");
    let (own, warnings) = vendor.locked();
    assert_eq!(own.repomd_signed_by.as_ref(), Some(&key));
    assert_eq!(own.repomd_signature.unwrap().hash, "SHA1");
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("repository `kubernetes` (") && warnings[0].contains(&key));
    assert!(error.contains(&warnings[0]), "{error}");

    demo.ok(&["build", "-q"]);
    let audit = vendor.audit("demo.tar");
    let told = metadata(&audit);
    assert_eq!((&told["sha1"], &told["by"]), (&Value::Bool(true), &Value::from("signedList")));
    let words = told["words"].as_str().unwrap();
    assert!(words.contains(&key) && words.contains(", RSA with SHA1, which does not"), "{words}");
    let text = demo.ok(&["audit", "demo.tar"]);
    let (_, after) = text.split_once("\nSigned with SHA-1, which is broken").unwrap();
    let (told, _) = after.split_once("\n\n").unwrap();
    assert!(told.contains("(1 thing)\n  metadata el9-x86_64/kubernetes\n"), "{told}");
    let page = vendor.page();
    assert!(page.contains("the metadata of 1 repository"), "{page}");
    assert!(page.contains(", RSA with SHA1, which does not expire"), "{page}");

    for hashes in [["SHA1", "SHA256"], ["SHA256", "SHA1"]] {
        vendor.sign(&hashes);
        demo.ok(&["lock"]);
        let (own, warnings) = vendor.locked();
        assert_eq!(own.repomd_signature.unwrap().hash, "SHA256", "{hashes:?}");
        assert!(warnings.is_empty(), "{warnings:?}");
    }
    // Each in an armor of its own, as `cat` of two files makes it.
    vendor.sign_armored(&["SHA1", "SHA256"]);
    demo.ok(&["lock"]);
    assert_eq!(vendor.locked().0.repomd_signature.unwrap().hash, "SHA256");
    demo.ok(&["build", "-q"]);
    let text = demo.ok(&["audit", "demo.tar"]);
    assert!(!text.contains("Signed with SHA-1") && text.contains(", RSA with SHA256, "), "{text}");
    assert!(!vendor.page().contains("Signed with SHA-1"));

    let lock = demo.path("bundle.yaml.lock.json");
    let before = fs::read(&lock).unwrap();
    vendor.sign(&["SHA1"]);
    for arguments in [&["lock"][..], &["lock", "--check"], &["lock", "--upgrade", "kubelet"]] {
        let output = demo.run(arguments);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {error}");
        let words = "`kubernetes` is signed with SHA-1 only, and it had a better hash when";
        assert_eq!(error.matches(words).count(), 1, "{error}");
        assert_eq!(fs::read(&lock).unwrap(), before, "{arguments:?}");
    }
    // The same place by another name, and signed by another key between.
    let spec = demo.spec();
    let renamed = spec.replace("id: kubernetes", "id: renamed");
    demo.write_spec(&renamed.replace("repository: kubernetes", "repository: renamed"));
    let error = demo.fails(&["lock"]);
    assert!(error.contains("`renamed` is signed with SHA-1 only, and it had"), "{error}");
    demo.write_spec(&spec);
    // As the error says.
    fs::remove_file(&lock).unwrap();
    demo.ok(&["lock"]);
    assert_eq!(vendor.locked().1.len(), 1);
}

#[test]
fn a_key_that_signs_only_metadata_is_named_before_it_ends() {
    if is_missing() {
        return;
    }
    let vendor = Vendor::start("200d");
    let key = vendor.gpg.fingerprints().remove(0);
    vendor.publish("        gpgcheck: {off: its maker signs lists only}\n");
    vendor.sign(&["SHA256"]);
    vendor.demo.ok(&["build", "-q"]);
    let audit = vendor.audit("demo.tar");
    let end = metadata(&audit)["expires"].as_str().unwrap();
    let all = audit["audited"].as_array().unwrap().iter();
    let listed: Vec<&Value> = all.filter(|one| one["voucher"]["by"] == "signedList").collect();
    assert!(!listed.is_empty(), "{audit:#}");
    for one in &listed {
        let words = one["voucher"]["words"].as_str().unwrap();
        assert!(words.contains(&key) && words.contains(", RSA with SHA256, until "), "{words}");
        assert!(words.contains("its maker signs lists only"), "{words}");
        assert_eq!(one["voucher"]["expires"], end, "{one}");
    }
    let text = vendor.demo.ok(&["audit", "demo.tar"]);
    let (_, after) = text.split_once("\nKeys that end within a year").unwrap();
    let (told, _) = after.split_once("\n\n").unwrap();
    assert!(told.contains(&format!("\n  {end}  ")) && told.contains(&key), "{told}");
    assert!(!told.contains("SHA1"), "{told}");
    // The page names it too, though its end is further than what `lock` warns of.
    let page = vendor.page();
    let words =
        format!("<li>Key {key} (Lists &lt;lists@keys.invalid&gt;), until <strong>{end}</strong>, ");
    assert_eq!(page.matches(&words).count(), 1, "{page}");

    // An old lock does not say how it was signed, and is read as before.
    rewritten(&vendor.demo, |lock| kubernetes(lock).repomd_signature = None, &[]);
    let audit = vendor.audit("other.tar");
    let told = metadata(&audit);
    assert_eq!(told["expires"], end);
    assert!(told["words"].as_str().unwrap().ends_with(" (the lock does not say with which hash)"));
    // A signature by another key than the signer's is refused.
    let other = |lock: &mut Lock| {
        let own = kubernetes(lock).repomd_signature.as_mut().unwrap();
        own.key = "AB".repeat(20);
    };
    rewritten(&vendor.demo, other, &[]);
    let error = vendor.demo.fails(&["audit", "-q", "other.tar"]);
    assert!(error.contains(", which is none of its keys"), "{error}");
}

#[test]
fn a_subkey_that_signs_metadata_is_named_with_its_own_end() {
    if is_missing() {
        return;
    }
    let vendor = Vendor::start("never");
    let key = vendor.gpg.fingerprints().remove(0);
    vendor.gpg.ok(vendor.now, &["--quick-add-key", &key, "rsa2048", "sign", "100d"]);
    let subkey = vendor.gpg.fingerprints().remove(1);
    vendor.publish("");
    vendor.sign(&["SHA512"]);
    vendor.demo.ok(&["build", "-q"]);
    let (own, _) = vendor.locked();
    assert_eq!(own.repomd_signed_by, Some(key));
    assert_eq!(own.repomd_signature.unwrap().key, subkey);
    let audit = vendor.audit("demo.tar");
    let told = metadata(&audit);
    assert!(told["words"].as_str().unwrap().contains(&format!("{subkey}, a subkey of ")), "{told}");
    let text = vendor.demo.ok(&["audit", "demo.tar"]);
    let (_, after) = text.split_once("\nKeys that end within a year").unwrap();
    let (ending, _) = after.split_once("\n\n").unwrap();
    let end = told["expires"].as_str().unwrap();
    assert!(ending.contains(end) && ending.contains(&subkey));
    // Its primary key does not expire, and the page has the worry all the same.
    let page = vendor.page();
    let (_, worries) = page.split_once("What is there to worry about?").unwrap();
    let told = format!("until <strong>{end}</strong>, vouches for ");
    let (key, _) = worries.split_once(&told).unwrap();
    assert!(key.rsplit("<li>").next().unwrap().starts_with(&format!("Key {subkey}, a subkey of ")));
}

#[test]
fn a_key_whose_subkey_vouches_is_not_said_to_vouch_for_nothing() {
    if is_missing() {
        return;
    }
    let vendor = Vendor::start("200d");
    let key = vendor.gpg.fingerprints().remove(0);
    vendor.gpg.ok(vendor.now, &["--quick-add-key", &key, "rsa2048", "sign", "100d"]);
    vendor.publish("");
    vendor.sign(&["SHA512"]);
    vendor.demo.ok(&["build", "-q"]);
    let page = vendor.page();
    let (_, after) = page.split_once(&format!("<li>Key {key} <strong>expires within")).unwrap();
    let said = after.split("</li>").next().unwrap();
    assert!(said.ends_with("</strong>. A subkey of it vouches for 1 thing."), "{said}");
}
