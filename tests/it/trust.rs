//! Signatures by real vendors, and what becomes of altered bytes.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bundle_format::Nevra;
use bundler::fetch::checksum::Checksum;
use bundler::rpm::key::{ExpiredKeys, Keyring, SignatureError};
use bundler::rpm::local_repository::{self, Member};
use bundler::rpm::node_rpm::NodeRpm;
use bundler::rpm::package_signature::{self, PackageError, Signature};

use crate::support::shared_data;

fn day(year: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs((year - 1970) * 31_557_600)
}

fn keyring(paths: &[&Path]) -> Keyring {
    let mut keyring = Keyring::default();
    for path in paths {
        keyring.add(&path.display().to_string(), &fs::read(path).unwrap()).unwrap();
    }
    keyring
}

fn checksum(bytes: &[u8]) -> Checksum {
    Checksum::parse("sha256", &bundle_format::Digest::of(bytes).hex()).unwrap()
}

fn check(bytes: &[u8], package: &str, signature: Signature<'_>) -> Result<(), PackageError> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let package: Nevra = package.parse().unwrap();
    package_signature::verify(file, &package, &checksum(bytes), signature, day(2027)).map(|_| ())
}

#[test]
fn repomd_of_google_2016() {
    let Some(data) = shared_data::folder() else { return };
    let folder = data.join("repodata/google-kubernetes-el7-2016/repodata");
    let keys = keyring(&[&folder.join("yum-key.gpg")]);
    let mut repomd = fs::read(folder.join("repomd.xml")).unwrap();
    let signature = fs::read(folder.join("repomd.xml.asc")).unwrap();
    let verify = |repomd: &[u8], expired, year| keys.verify(repomd, &signature, expired, day(year));
    assert!(verify(&repomd, ExpiredKeys::Refuse, 2017).is_ok());
    let error = verify(&repomd, ExpiredKeys::Refuse, 2026).unwrap_err();
    assert!(matches!(&error, SignatureError::Expired { .. }), "{error}");
    assert!(error.to_string().contains("Apr 2018"), "{error}");
    assert!(verify(&repomd, ExpiredKeys::Allow, 2026).is_ok());

    repomd[100] ^= 1;
    assert!(matches!(verify(&repomd, ExpiredKeys::Allow, 2017), Err(SignatureError::Bad(_))));
    let stranger = keyring(&[&data.join("keys/RPM-GPG-KEY-CentOS-7")]);
    repomd[100] ^= 1;
    let error = stranger.verify(&repomd, &signature, ExpiredKeys::Allow, day(2017)).unwrap_err();
    assert!(matches!(error, SignatureError::UnknownKey { .. }), "{error}");
    for garbage in [&b""[..], b"-----BEGIN PGP SIGNATURE-----\n", b"<html>", &[0xff; 100]] {
        assert!(keys.verify(&repomd, garbage, ExpiredKeys::Allow, day(2017)).is_err());
    }
}

#[test]
fn a_renewed_key_is_the_same_key_with_a_later_end() {
    let Some(data) = shared_data::folder() else { return };
    let [old, new] = ["kubernetes-repomd.xml.key", "kubernetes-Release.key.2025"]
        .map(|name| keyring(&[&data.join("keys").join(name)]));
    assert_eq!(old.fingerprints(), new.fingerprints());
    assert!(old.fingerprints()[0].ends_with("9A296436"), "{:?}", old.fingerprints());
    let ends = [&old, &new].map(|keys| keys.expiries(day(2026))[0].unwrap());
    assert!(ends[0] < day(2025) && ends[1] > day(2026) + Duration::from_secs(300 * 86400));
}

#[test]
fn every_real_key_reads_and_garbage_is_none() {
    let Some(data) = shared_data::folder() else { return };
    let mut count = 0;
    for entry in fs::read_dir(data.join("keys")).unwrap() {
        let path = entry.unwrap().path();
        let keyring = keyring(&[&path]);
        assert!(!keyring.fingerprints().is_empty());
        // What a vendor publishes today is carried byte for byte.
        assert!(keyring.united(&fs::read(&path).unwrap()).unwrap().is_none(), "{path:?}");
        count += 1;
    }
    assert!(count >= 10);
    // One that cannot be read does not spoil the rest.
    let good = fs::read(data.join("keys/RPM-GPG-KEY-EPEL-7")).unwrap();
    let bad = b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n";
    let mut keys = Keyring::default();
    keys.add("both", &[bad, good.as_slice()].concat()).unwrap();
    assert_eq!(keys.fingerprints().len(), 1);
    for garbage in [&b""[..], bad, b"not a key", &[0x99; 64]] {
        assert!(Keyring::default().add("garbage", garbage).is_err());
    }
}

#[test]
fn genuine_el7_packages_verify_and_altered_ones_do_not() {
    let Some(data) = shared_data::folder() else { return };
    let oracle = keyring(&[&data.join("keys/oraclelinux-RPM-GPG-KEY-oracle-ol7")]);
    let epel = keyring(&[&data.join("keys/RPM-GPG-KEY-EPEL-7")]);
    let by = |keyring| Signature::By {
        keyring,
        expired: ExpiredKeys::Refuse,
        metadata_is_signed: false,
        node_rpm: NodeRpm::Newer,
    };
    let name = "socat-1.7.3.2-2.el7.x86_64";
    let bytes = fs::read(data.join(format!("rpm/el7-signed/{name}.rpm"))).unwrap();
    check(&bytes, name, by(&oracle)).unwrap();
    let other = check(&bytes, name, by(&epel)).unwrap_err();
    assert!(matches!(other, PackageError::Signature(SignatureError::UnknownKey { .. })), "{other}");
    let renamed = check(&bytes, "socat-1.7.3.2-3.el7.x86_64", by(&oracle)).unwrap_err();
    assert!(matches!(renamed, PackageError::Other { .. }), "{renamed}");

    // With the checksum of the altered file, the header's signature alone
    // protects the header; the payload is protected by the true checksum.
    let metadata = rpm::PackageMetadata::parse(&mut bytes.as_slice()).unwrap();
    let offsets = metadata.get_package_segment_offsets();
    let (header, payload) = (offsets.header as usize, offsets.payload as usize);
    for offset in (header..payload).step_by(97) {
        let mut altered = bytes.clone();
        altered[offset] ^= 0x20;
        assert!(check(&altered, name, by(&oracle)).is_err(), "byte {offset}");
    }
    let mut altered = bytes.clone();
    altered[payload + 1000] ^= 1;
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&altered).unwrap();
    let result = package_signature::verify(
        file,
        &name.parse().unwrap(),
        &checksum(&bytes),
        by(&oracle),
        day(2026),
    );
    assert!(matches!(result, Err(PackageError::Checksum(_))));
}

#[test]
fn other_signature_kinds_and_unsigned_ones() {
    let Some(data) = shared_data::folder() else { return };
    let keys = data.join("rpm/rpm-rs/signing_keys");
    let folder = data.join("rpm/rpm-rs/RPMS");
    let name = "rpm-basic-2.3.4-5.el9.noarch";
    let read = |path: &str| fs::read(folder.join(path)).unwrap();
    let with = |file: &str, key: &str| {
        let keyring = keyring(&[&keys.join(key)]);
        check(
            &read(file),
            name,
            Signature::By {
                keyring: &keyring,
                expired: ExpiredKeys::Refuse,
                metadata_is_signed: false,
                node_rpm: NodeRpm::Newer,
            },
        )
    };
    let epoch = |result: Result<(), PackageError>| match result {
        // The package has an epoch: what is meant is told by the error.
        Err(PackageError::Other { found }) => found,
        other => panic!("{other:?}"),
    };
    let found = epoch(with(
        "v4/signed/rpm-basic-with-rsa4096-2.3.4-5.el9.noarch.rpm",
        "v4/rpm-testkey-v4-rsa4096.asc",
    ));
    assert_eq!(found, "rpm-basic-1:2.3.4-5.el9.noarch");
    let cases = [
        (
            "v4/signed/rpm-basic-with-rsa4096-2.3.4-5.el9.noarch.rpm",
            "v4/rpm-testkey-v4-rsa4096.asc",
        ),
        (
            "v4/signed/rpm-basic-with-ed25519-2.3.4-5.el9.noarch.rpm",
            "v4/rpm-testkey-v4-ed25519.asc",
        ),
        (
            "v4/signed/rpm-basic-with-ecdsa-2.3.4-5.el9.noarch.rpm",
            "v4/rpm-testkey-v4-ecdsa-nistp256.asc",
        ),
        ("v6/signed/rpm-basic-with-rsa4k-2.3.4-5.el9.noarch.rpm", "v6/rpm-testkey-v6-rsa4k.asc"),
        (
            "v6/signed/rpm-basic-with-ed25519-2.3.4-5.el9.noarch.rpm",
            "v6/rpm-testkey-v6-ed25519.asc",
        ),
    ];
    for (file, key) in cases {
        let keyring = keyring(&[&keys.join(key)]);
        let signature = Signature::By {
            keyring: &keyring,
            expired: ExpiredKeys::Refuse,
            metadata_is_signed: false,
            node_rpm: NodeRpm::Newer,
        };
        check(&read(file), &found, signature).unwrap_or_else(|error| panic!("{file}: {error}"));
    }
    let keyring = keyring(&[&keys.join("v4/rpm-testkey-v4-rsa4096.asc")]);
    let signature = Signature::By {
        keyring: &keyring,
        expired: ExpiredKeys::Refuse,
        metadata_is_signed: false,
        node_rpm: NodeRpm::Newer,
    };
    let unsigned =
        check(&read("v4/rpm-basic-2.3.4-5.el9.noarch.rpm"), &found, signature).unwrap_err();
    assert!(matches!(unsigned, PackageError::Signature(SignatureError::Unsigned)), "{unsigned}");
    check(&read("v4/rpm-basic-2.3.4-5.el9.noarch.rpm"), &found, Signature::Unchecked).unwrap();
    assert!(check(b"<html></html>", &found, Signature::Unchecked).is_err());
}

#[test]
fn dnf_reads_the_bundles_own_repository() {
    let Some(data) = shared_data::folder() else { return };
    if !Path::new("/usr/bin/dnf").exists() {
        println!("skipped: dnf is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let members = || -> Vec<Member> {
        fs::read_dir(data.join("rpm/el7-signed"))
            .unwrap()
            .map(|entry| {
                let path = entry.unwrap().path();
                let bytes = fs::read(&path).unwrap();
                let file_name = path.file_name().unwrap().to_str().unwrap().to_owned();
                fs::write(folder.path().join(&file_name), &bytes).unwrap();
                Member {
                    header: rpm::PackageMetadata::parse(&mut bytes.as_slice()).unwrap(),
                    file_name,
                    digest: bundle_format::Digest::of(&bytes),
                    size: bytes.len() as u64,
                }
            })
            .collect()
    };
    let files = local_repository::metadata(members()).unwrap();
    assert_eq!(files, local_repository::metadata(members()).unwrap());
    fs::create_dir(folder.path().join("repodata")).unwrap();
    for (name, bytes) in &files {
        fs::write(folder.path().join("repodata").join(name), bytes).unwrap();
    }
    let root = folder.path().display();
    let output = std::process::Command::new("/usr/bin/dnf")
        .args(["-q", "--disableplugin=*", "--forcearch=x86_64", "--releasever=7"])
        .arg(format!("--installroot={root}/root"))
        .arg(format!("--setopt=cachedir={root}/cache"))
        .arg(format!("--setopt=reposdir={root}/none"))
        .arg(format!("--repofrompath=bundle,file://{root}"))
        .args(["--repo=bundle", "repoquery", "--requires", "socat"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("libssl.so.10()(64bit)"), "{text}");
}

/// On 28 Nov 2026, two days after these were reported.
fn reported() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_795_824_000)
}

#[test]
fn reports_from_the_field_about_packages() {
    let Some(data) = shared_data::folder() else { return };
    let field = data.join("field/rpm");
    let verify = |file: &str, name: &str, key: &str, expired| {
        let keyring = keyring(&[&field.join(key)]);
        let bytes = fs::read(field.join(file)).unwrap();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        let signature = Signature::By {
            keyring: &keyring,
            expired,
            metadata_is_signed: false,
            node_rpm: NodeRpm::Newer,
        };
        let checksum = checksum(&bytes);
        package_signature::verify(file, &name.parse().unwrap(), &checksum, signature, reported())
            .map(|_| ())
    };
    // A signed header with another payload.
    let (file, name) = ("payload-flipped/hello-2.0-1.x86_64.rpm", "hello-2.0-1.x86_64");
    let error = verify(file, name, "rpm.org-rsa-2048-test.pub", ExpiredKeys::Refuse).unwrap_err();
    assert!(matches!(error, PackageError::Digest(_)), "{error}");
    // A subkey that has expired.
    let file = "expired-subkey-package/hello-2.0-1.x86_64-signed-with-subkey.rpm";
    let error = verify(file, name, "alice-expired-subkey.asc", ExpiredKeys::Refuse).unwrap_err();
    let is_expired = matches!(error, PackageError::Signature(SignatureError::Expired { .. }));
    assert!(is_expired, "{error}");
    verify(file, name, "alice-expired-subkey.asc", ExpiredKeys::Allow).unwrap();
}

#[test]
fn reports_from_the_field_about_copies_of_a_key() {
    let Some(data) = shared_data::folder() else { return };
    let field = data.join("field/rpm");
    let verify = |repository: &str, keys: &[&str], expired| {
        let paths: Vec<_> = keys.iter().map(|key| field.join(key)).collect();
        let paths: Vec<&Path> = paths.iter().map(std::path::PathBuf::as_path).collect();
        let repodata = field.join(repository).join("repodata");
        let [repomd, signature] =
            ["repomd.xml", "repomd.xml.asc"].map(|name| fs::read(repodata.join(name)).unwrap());
        keyring(&paths).verify(&repomd, &signature, expired, reported())
    };
    for expired in [ExpiredKeys::Refuse, ExpiredKeys::Allow] {
        for keys in [["rev-before.asc", "rev.asc"], ["rev.asc", "rev-before.asc"]] {
            let error = verify("revoked-repo", &keys, expired).unwrap_err();
            assert!(matches!(error, SignatureError::Revoked(_)), "{keys:?}: {error}");
        }
    }
    let refuse = ExpiredKeys::Refuse;
    verify("revoked-repo", &["rev-before.asc"], refuse).unwrap();
    for keys in [["expired.asc", "renewed.asc"], ["renewed.asc", "expired.asc"]] {
        verify("renewed-repo", &keys, refuse).unwrap();
    }
    for (repository, key) in
        [("renewed-repo", "expired.asc"), ("expired-subkey-repomd", "expsub.asc")]
    {
        let error = verify(repository, &[key], refuse).unwrap_err();
        assert!(matches!(error, SignatureError::Expired { .. }), "{key}: {error}");
        verify(repository, &[key], ExpiredKeys::Allow).unwrap();
    }
}

/// pkgs.k8s.io's key ends on 29 Dec 2026: whoever has the old copy is told so, and
/// both copies do, in either order and in one file.
#[test]
fn the_two_copies_of_the_kubernetes_key_are_one() {
    let Some(data) = shared_data::folder() else { return };
    let [old, new] = ["kubernetes-repomd.xml.key", "kubernetes-Release.key.2025"]
        .map(|name| fs::read(data.join("keys").join(name)).unwrap());
    let both = [old.clone(), new.clone()].concat();
    for copies in [vec![&old, &new], vec![&new, &old], vec![&both]] {
        let mut keyring = Keyring::default();
        for copy in &copies {
            keyring.add("copy", copy).unwrap();
        }
        assert_eq!(keyring.fingerprints().len(), 1);
        let end = keyring.expiries(reported())[0].unwrap();
        assert!(end > day(2026) + Duration::from_secs(360 * 86400), "{end:?}");
        // What a node is given of each copy is the whole of it.
        for copy in copies {
            let shipped = keyring.united(copy).unwrap().unwrap_or_else(|| copy.clone());
            let mut node = Keyring::default();
            node.add("shipped", &shipped).unwrap();
            assert_eq!(node.expiries(reported()), [Some(end)]);
            assert_eq!(node.fingerprints(), keyring.fingerprints());
        }
    }
}
