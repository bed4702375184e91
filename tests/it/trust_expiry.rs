//! A vendor's key that ends: before, `lock` warns; after, it refuses, and takes the
//! renewed copy.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bundler::rpm::key::{ExpiredKeys, Keyring, SignatureError};

use crate::support::demo::Demo;
use crate::support::gpg::{Gpg, is_missing};

const DAY: u64 = 86_400;

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A key that was made at `made` and lives so many days.
fn key(made: u64, days: u64) -> (Gpg, String) {
    let gpg = Gpg::new();
    let life = format!("{days}d");
    gpg.ok(made, &["--quick-gen-key", "Vendor <vendor@keys.invalid>", "rsa2048", "sign", &life]);
    let fingerprint = gpg.fingerprints().remove(0);
    (gpg, fingerprint)
}

/// Signs the metadata of two repositories at the time `at`, and puts the key's copy
/// beside the spec.
fn resign(demo: &Demo, gpg: &Gpg, at: u64) {
    for id in ["os", "docker-ce"] {
        let repodata = demo.upstream.key_path(id).parent().unwrap().to_owned();
        let [repomd, signature] =
            ["repomd.xml", "repomd.xml.asc"].map(|name| repodata.join(name).display().to_string());
        fs::remove_file(&signature).unwrap();
        gpg.ok(at, &["--armor", "--output", &signature, "--detach-sign", &repomd]);
    }
    export(demo, gpg, at, "vendor.asc");
}

fn export(demo: &Demo, gpg: &Gpg, at: u64, name: &str) {
    let path = demo.path(name);
    gpg.ok(at, &["--armor", "--output", path.to_str().unwrap(), "--export"]);
}

fn day(time: u64) -> String {
    let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(time));
    date[5..16].to_owned()
}

#[test]
fn a_key_that_ends_soon_is_warned_of_once_and_only_on_the_screen() {
    if is_missing() {
        return;
    }
    let demo = Demo::start();
    let made = now() - 10 * DAY;
    let (gpg, fingerprint) = key(made, 40);
    resign(&demo, &gpg, made);
    let keys = |id: &str| format!("[URL/{id}/repodata");
    let with = |id: &str| format!("[vendor.asc, URL/{id}/repodata");
    let spec = demo.spec().replace(&keys("os"), &with("os"));
    demo.write_spec(&spec.replace(&keys("docker-ce"), &with("docker-ce")));
    let output = demo.run(&["lock"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let end = day(made + 40 * DAY);
    for words in [
        &format!("warning: key {fingerprint} (Vendor <vendor@keys.invalid>) expires on {end}"),
        "get the renewed key from the vendor and name it under `keys`",
    ] {
        assert_eq!(said.matches(words).count(), 1, "{words}: {said}");
    }
    // Otherwise the lock would be another one tomorrow.
    let lock = fs::read_to_string(demo.path("bundle.yaml.lock.json")).unwrap();
    assert!(!lock.contains("expires on"));
    demo.ok(&["lock", "--check"]);
}

#[test]
fn a_key_that_has_ended_is_refused_with_the_cure_and_the_renewed_copy_is_taken() {
    if is_missing() {
        return;
    }
    let demo = Demo::start();
    let made = now() - 41 * DAY;
    let (gpg, fingerprint) = key(made, 40);
    resign(&demo, &gpg, made);
    let spec = demo.spec().replace("[URL/os/", "[vendor.asc, URL/os/");
    let spec = spec.replace("[URL/docker-ce/", "[vendor.asc, URL/docker-ce/");
    demo.write_spec(&spec);
    let error = demo.fails(&["lock"]);
    let end = day(made + 40 * DAY);
    for words in [
        &format!(
            "signed with key {fingerprint} (Vendor <vendor@keys.invalid>), which expired on {end}"
        ),
        "get the renewed key from the vendor and name it under `keys`",
    ] {
        assert!(error.contains(words), "{words}: {error}");
    }
    // The cure, in one repository: a node has one rpm.
    gpg.ok(now(), &["--quick-set-expire", &fingerprint, "10y"]);
    export(&demo, &gpg, now(), "renewed.asc");
    demo.write_spec(&spec.replace("[vendor.asc, URL/os/", "[vendor.asc, renewed.asc, URL/os/"));
    demo.ok(&["build", "-q"]);
    // On a later day, the bundle is as good as before.
    demo.ok(&["verify", "demo.tar"]);
}

#[test]
fn the_warning_begins_sixty_days_before() {
    if is_missing() {
        return;
    }
    let made = 1_700_000_000;
    let (gpg, _) = key(made, 100);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::write(path("text"), "text").unwrap();
    gpg.ok(made, &["--armor", "--output", &path("key"), "--export"]);
    gpg.ok(made, &["--armor", "--output", &path("text.asc"), "--detach-sign", &path("text")]);
    let mut keyring = Keyring::default();
    keyring.add("key", &fs::read(path("key")).unwrap()).unwrap();
    let signature = fs::read(path("text.asc")).unwrap();
    let on = |day: u64, expired| {
        let today = UNIX_EPOCH + Duration::from_secs(made + day * DAY);
        keyring.verify(b"text", &signature, expired, today).map(|key| key.ends_soon(today))
    };
    assert!(matches!(on(39, ExpiredKeys::Refuse), Ok(None)));
    for last in [40, 99] {
        assert!(on(last, ExpiredKeys::Refuse).unwrap().unwrap().contains("expires on 22 Feb 2024"));
    }
    assert!(matches!(on(100, ExpiredKeys::Refuse), Err(SignatureError::Expired { .. })));
    assert!(matches!(on(100, ExpiredKeys::Allow), Ok(None)));
}
