//! Packages, whole and damaged, and what `rpmkeys -K` says of them: ours is the
//! same answer.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bundle_format::{Digest, Evr, Nevra};
use bundler::fetch::checksum::Checksum;
use bundler::rpm::header::Outside;
use bundler::rpm::key::{ExpiredKeys, Keyring, SignatureError};
use bundler::rpm::node_rpm::NodeRpm;
use bundler::rpm::package_signature::{self, PackageError, Signature};
use pgp::crypto::hash::HashAlgorithm;
use tempfile::TempDir;

use crate::support::gpg::Gpg;
use crate::support::shared_data;

/// In 2025.
const MADE: u64 = 1_740_000_000;

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// What we say of a file that comes with its own checksum, as from metadata that
/// nobody signed.
fn ours(bytes: &[u8], signature: Signature<'_>) -> Result<(), PackageError> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let checksum = Checksum::parse("sha256", &Digest::of(bytes).hex()).unwrap();
    let package = name(bytes).unwrap_or_else(|| "no-0-0.noarch".parse().unwrap());
    package_signature::verify(file, &package, &checksum, signature, now()).map(|_| ())
}

fn name(bytes: &[u8]) -> Option<Nevra> {
    // The library's reader trusts what it reads.
    let outside = Outside::read(&mut &*bytes).ok()?;
    let header = rpm::PackageMetadata::parse(&mut outside.bytes()).ok()?;
    let evr = Evr {
        epoch: header.get_epoch().unwrap_or(0),
        version: header.get_version().ok()?.to_owned(),
        release: header.get_release().ok()?.to_owned(),
    };
    let (name, arch) = (header.get_name().ok()?.to_owned(), header.get_arch().ok()?.to_owned());
    Some(Nevra { name, evr, arch })
}

fn by(keyring: &Keyring) -> Signature<'_> {
    let node_rpm = NodeRpm::Newer;
    Signature::By { keyring, expired: ExpiredKeys::Allow, metadata_is_signed: false, node_rpm }
}

/// rpm with a database of its own.
struct Rpm {
    folder: TempDir,
}

impl Rpm {
    /// None, with a word on it, where a tool is missing.
    fn new() -> Option<Self> {
        for tool in ["rpmkeys", "rpmbuild", "rpmsign", "gpg"] {
            let found = Command::new(tool).arg("--version").output();
            if !found.is_ok_and(|output| output.status.success()) {
                println!("skipped: {tool} is not installed");
                return None;
            }
        }
        Some(Self { folder: tempfile::tempdir().unwrap() })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, tool: &str) -> Command {
        let mut command = Command::new(tool);
        command.arg("--define").arg(format!("_dbpath {}", self.path("db").display()));
        command
    }

    fn import(&self, key: &[u8]) -> bool {
        let path = self.path("key");
        fs::write(&path, key).unwrap();
        let output = self.command("rpmkeys").arg("--import").arg(&path).output().unwrap();
        output.status.success()
    }

    /// Whether `rpmkeys -K` finds each of these files good.
    fn judge(&self, files: &[Vec<u8>], options: &[&str]) -> Vec<bool> {
        self.complaints(files, options)
            .into_iter()
            .map(|complaints| complaints.is_some_and(|complaints| complaints.is_empty()))
            .collect()
    }

    /// What `rpmkeys -K` finds wrong with each of these files; none where it
    /// cannot read it.
    fn complaints(&self, files: &[Vec<u8>], options: &[&str]) -> Vec<Option<Vec<String>>> {
        let folder = self.path("judged");
        fs::create_dir_all(&folder).unwrap();
        let mut complaints = Vec::new();
        for chunk in files.chunks(500) {
            let paths: Vec<PathBuf> =
                (0..chunk.len()).map(|index| folder.join(format!("{index}.rpm"))).collect();
            for (path, bytes) in paths.iter().zip(chunk) {
                fs::write(path, bytes).unwrap();
            }
            let mut command = self.command("rpmkeys");
            let output = command.arg("-Kv").args(options).args(&paths).output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            // A line for each thing that it checked, below the file's name.
            let mut said: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
            let mut file = "";
            for line in text.lines() {
                match line.strip_prefix("    ") {
                    Some(line) => said.entry(file).or_default().push(line),
                    None => file = line.trim_end_matches(':'),
                }
            }
            complaints.extend(paths.iter().map(|path| {
                let said = said.get(path.to_str().unwrap())?.iter();
                Some(said.filter(|line| !line.ends_with(": OK")).map(|&l| l.to_owned()).collect())
            }));
        }
        complaints
    }

    /// A package of one file.
    fn build(&self) -> Vec<u8> {
        let spec = self.path("thing.spec");
        let text = "Name: thing\nVersion: 1\nRelease: 2\nSummary: s\nLicense: MIT\nBuildArch: noarch\n\
             %description\nd\n%install\nmkdir -p %{buildroot}/opt\n\
             seq 2000 > %{buildroot}/opt/thing\n%files\n/opt/thing\n";
        fs::write(&spec, text).unwrap();
        let top = self.path("top");
        let mut command = self.command("rpmbuild");
        command.arg("--define").arg(format!("_topdir {}", top.display()));
        let output = command.args(["--quiet", "-bb"]).arg(&spec).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::read(top.join("RPMS/noarch/thing-1-2.noarch.rpm")).unwrap()
    }

    fn sign(&self, package: &[u8], gpg: &Gpg, options: &[&str]) -> Vec<u8> {
        let path = self.path("signed.rpm");
        fs::write(&path, package).unwrap();
        let mut command = self.command("rpmsign");
        command.arg("--define").arg(format!("_gpg_path {}", gpg.folder().display()));
        command.args([
            "--define",
            "__gpg /usr/bin/gpg",
            "--define",
            "_gpg_name owner@keys.invalid",
        ]);
        let output = command.args(options).arg("--addsign").arg(&path).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::read(path).unwrap()
    }
}

fn owner() -> (Gpg, Vec<u8>) {
    let gpg = Gpg::new();
    gpg.ok(MADE, &["--quick-gen-key", "Owner <owner@keys.invalid>", "rsa2048", "sign", "never"]);
    let key = gpg.ok(MADE, &["--armor", "--export"]).into_bytes();
    (gpg, key)
}

/// Where the parts of a package begin, and the entries of a header by their tag.
struct Parts {
    header: usize,
    payload: usize,
    signature_entries: BTreeMap<u32, usize>,
    header_entries: BTreeMap<u32, usize>,
}

fn number(bytes: &[u8], at: usize) -> usize {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
}

impl Parts {
    fn of(bytes: &[u8]) -> Self {
        let entries = |start: usize| {
            let count = number(bytes, start + 8);
            let at = |index| start + 16 + index * 16;
            (0..count).map(|index| (number(bytes, at(index)) as u32, at(index))).collect()
        };
        let end = |start| start + 16 + number(bytes, start + 8) * 16 + number(bytes, start + 12);
        let header = end(96_usize).next_multiple_of(8);
        Self {
            header,
            payload: end(header),
            signature_entries: entries(96),
            header_entries: entries(header),
        }
    }
}

/// Gives an entry a number that nobody knows: it is not there any more.
fn hide(bytes: &mut [u8], entry: usize) {
    let hidden = number(bytes, entry) as u32 + 4000;
    bytes[entry..entry + 4].copy_from_slice(&hidden.to_be_bytes());
}

/// The package as rpm before 4.14 would have made it: no digest of the payload
/// in its header, whose own digests are made anew.
fn without_payload_digest(package: &[u8]) -> Vec<u8> {
    let mut old = package.to_vec();
    let parts = Parts::of(&old);
    for tag in [5092, 5097] {
        hide(&mut old, parts.header_entries[&tag]);
    }
    let data = 112 + parts.signature_entries.len() * 16;
    let header = old[parts.header..parts.payload].to_vec();
    for (tag, digest) in [
        (269, hex(&HashAlgorithm::Sha1.digest(&header).unwrap())),
        (273, Digest::of(&header).hex()),
    ] {
        let offset = data + number(&old, parts.signature_entries[&tag] + 8);
        old[offset..offset + digest.len()].copy_from_slice(digest.as_bytes());
    }
    let md5 = HashAlgorithm::Md5.digest(&old[parts.header..]).unwrap();
    let offset = data + number(&old, parts.signature_entries[&1004] + 8);
    old[offset..offset + md5.len()].copy_from_slice(&md5);
    old
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The package with a byte changed here and there, shortened, and lengthened.
fn damaged(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let parts = Parts::of(bytes);
    let mut all = Vec::new();
    let mut flip = |at: usize, bit: u8| {
        let mut other = bytes.to_vec();
        other[at] ^= bit;
        all.push((format!("byte {at} xor {bit:#x}"), other));
    };
    for at in 0..112 {
        flip(at, 1);
    }
    let signature_data = 112 + parts.signature_entries.len() * 16;
    for at in 112..signature_data {
        flip(at, 1);
        flip(at, 0x40);
    }
    // The room that is kept for signatures is long and says nothing.
    let is_said = |at: &usize| *at < signature_data + 700 || *at + 40 > parts.header;
    for at in (signature_data..parts.header).filter(is_said).step_by(2) {
        flip(at, 1);
    }
    for at in (parts.header..parts.payload).step_by(17) {
        flip(at, 0x20);
    }
    for at in (parts.payload..bytes.len()).step_by(97) {
        flip(at, 0x80);
    }
    for length in [1, 100] {
        all.push((format!("{length} more"), [bytes, &vec![0; length]].concat()));
    }
    for length in [0, 95, 100, parts.header - 1, parts.header + 20, parts.payload, bytes.len() - 1]
    {
        all.push((format!("the first {length}"), bytes[..length].to_vec()));
    }
    all
}

/// Ours must refuse what rpm refuses. It may refuse more: what is in a header,
/// but makes no sense.
fn assert_as_rpm(rpm: &Rpm, keyring: &Keyring, what: &str, package: &[u8]) {
    let damaged = damaged(package);
    let files: Vec<Vec<u8>> = damaged.iter().map(|(_, bytes)| bytes.clone()).collect();
    let good = rpm.judge(&files, &[]);
    let good_digests = rpm.judge(&files, &["--nosignature"]);
    let mut wrong = Vec::new();
    let mut refused = 0;
    for (index, (where_, bytes)) in damaged.iter().enumerate() {
        let signed = ours(bytes, by(keyring));
        let unchecked = ours(bytes, Signature::Unchecked);
        refused += usize::from(signed.is_err());
        for (rpm, ours, words) in
            [(good[index], signed, "signed"), (good_digests[index], unchecked, "unchecked")]
        {
            if ours.is_ok() && !rpm {
                wrong.push(format!("{where_}, {words}: rpm says {rpm}, we say {ours:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{what}:\n{}", wrong.join("\n"));
    assert!(refused > damaged.len() / 2, "{what}: only {refused} of {}", damaged.len());
}

#[test]
fn a_damaged_package_is_refused_as_rpm_does() {
    let Some(rpm) = Rpm::new() else { return };
    let (gpg, key) = owner();
    assert!(rpm.import(&key));
    let mut keyring = Keyring::default();
    keyring.add("owner", &key).unwrap();
    let plain = rpm.build();
    let signed = rpm.sign(&plain, &gpg, &[]);
    let both = rpm.sign(&plain, &gpg, &["--rpmv3"]);
    let old = rpm.sign(&without_payload_digest(&plain), &gpg, &[]);
    assert!(Parts::of(&both).signature_entries.contains_key(&1002));
    assert!(Parts::of(&old).signature_entries.contains_key(&1002));
    for (what, package) in [("signed", &signed), ("signed twice", &both), ("as of el7", &old)] {
        assert_eq!(rpm.judge(std::slice::from_ref(package), &[]), [true], "{what}");
        ours(package, by(&keyring)).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_as_rpm(&rpm, &keyring, what, package);
    }
    // Its digests are compared where nobody's signature is asked for, too.
    let unsigned = ours(&plain, by(&keyring)).unwrap_err();
    assert!(matches!(unsigned, PackageError::Signature(SignatureError::Unsigned)), "{unsigned}");
    ours(&plain, Signature::Unchecked).unwrap();
    let mut other = plain.clone();
    *other.last_mut().unwrap() ^= 1;
    let error = ours(&other, Signature::Unchecked).unwrap_err();
    assert!(matches!(error, PackageError::Digest(_)), "{error}");
    let words = "it was damaged, or changed after it was made: it has wrong digests (MD5 of its \
                 header and payload, SHA256 of its payload); ask the vendor to fix the repository, \
                 or use another mirror";
    assert_eq!(error.to_string(), words);
}

#[test]
fn a_signature_has_to_reach_the_payload() {
    let Some(rpm) = Rpm::new() else { return };
    let (gpg, key) = owner();
    assert!(rpm.import(&key));
    let mut keyring = Keyring::default();
    keyring.add("owner", &key).unwrap();
    let mut old = rpm.sign(&without_payload_digest(&rpm.build()), &gpg, &[]);
    let parts = Parts::of(&old);
    hide(&mut old, parts.signature_entries[&1002]);
    assert_eq!(rpm.judge(&[old.clone()], &[]), [false], "rpm refuses what is signed in part");
    let error = ours(&old, by(&keyring)).unwrap_err();
    assert!(matches!(error, PackageError::PartlySigned), "{error}");
    // Only the whole file's checksum, in metadata that is signed, makes up for it.
    let signature = Signature::By {
        keyring: &keyring,
        expired: ExpiredKeys::Refuse,
        metadata_is_signed: true,
        node_rpm: NodeRpm::Newer,
    };
    ours(&old, signature).unwrap();
    // No digest of the payload at all.
    hide(&mut old, parts.signature_entries[&1004]);
    assert_eq!(rpm.judge(&[old.clone()], &["--nosignature"]), [false]);
    for signature in [signature, Signature::Unchecked] {
        let error = ours(&old, signature).unwrap_err();
        assert!(matches!(error, PackageError::NoDigest(_)), "{error}");
    }
}

#[test]
fn every_signature_has_to_count() {
    let Some(rpm) = Rpm::new() else { return };
    let ((gpg, key), (other_gpg, other_key)) = (owner(), owner());
    assert!(rpm.import(&key));
    let mut keyring = Keyring::default();
    keyring.add("owner", &key).unwrap();
    let plain = rpm.build();
    // Header and payload by a stranger, the header alone by the owner.
    let own = rpm.sign(&plain, &gpg, &["--rpmv3"]);
    let mut mixed = own.clone();
    let at = |bytes: &[u8]| {
        let parts = Parts::of(bytes);
        let data = 112 + parts.signature_entries.len() * 16;
        let entry = parts.signature_entries[&1002];
        let start = data + number(bytes, entry + 8);
        start..start + number(bytes, entry + 12)
    };
    // One of 256 is a byte shorter, because its number begins with zeros. Another second gives
    // another number.
    let strange = std::iter::repeat_with(|| rpm.sign(&plain, &other_gpg, &["--rpmv3"]));
    let fits = |strange: &Vec<u8>| at(strange).len() == at(&own).len();
    let strange = strange.take(100).find(fits).unwrap();
    mixed[at(&own)].copy_from_slice(&strange[at(&strange)]);
    assert_eq!(rpm.judge(&[own.clone(), mixed.clone()], &[]), [true, false]);
    ours(&own, by(&keyring)).unwrap();
    let error = ours(&mixed, by(&keyring)).unwrap_err();
    let is_unknown = matches!(error, PackageError::Signature(SignatureError::UnknownKey { .. }));
    assert!(is_unknown, "{error}");
    keyring.add("other", &other_key).unwrap();
    ours(&mixed, by(&keyring)).unwrap();
}

/// rpm 4.11 of el7 takes signatures by keys of RSA and DSA, and by no subkey
/// (`digest_nss.c` and `rpmkeyring.c` in its source).
#[test]
fn some_signatures_are_not_for_el7() {
    let Some(rpm) = Rpm::new() else { return };
    let plain = rpm.build();
    let cases = [
        ("rsa2048", None, None),
        ("dsa2048", None, None),
        ("rsa2048", Some("rsa2048"), Some("knows no subkeys")),
        ("ed25519", None, Some("but those of RSA and DSA")),
    ];
    for (algorithm, subkey, objection) in cases {
        let what = format!("{algorithm}, {subkey:?}");
        let gpg = Gpg::new();
        let user = "Owner <owner@keys.invalid>";
        gpg.ok(MADE, &["--quick-gen-key", user, algorithm, "sign", "never"]);
        if let Some(subkey) = subkey {
            let fingerprint = gpg.fingerprints().remove(0);
            gpg.ok(MADE, &["--quick-add-key", &fingerprint, subkey, "sign", "never"]);
        }
        let mut keyring = Keyring::default();
        keyring.add("owner", gpg.ok(MADE, &["--armor", "--export"]).as_bytes()).unwrap();
        let signed = rpm.sign(&plain, &gpg, &[]);
        ours(&signed, by(&keyring)).unwrap_or_else(|error| panic!("{what}: {error}"));
        let on_el7 = |metadata_is_signed| Signature::By {
            keyring: &keyring,
            expired: ExpiredKeys::Refuse,
            metadata_is_signed,
            node_rpm: NodeRpm::of_family("el7"),
        };
        for signature in [on_el7(false), on_el7(true)] {
            match (ours(&signed, signature), objection) {
                (Ok(()), None) => {}
                (Err(error @ PackageError::NodeRpm { .. }), Some(objection)) => {
                    assert!(error.to_string().contains(objection), "{what}: {error}");
                }
                (other, _) => panic!("{what}: {other:?}"),
            }
        }
    }
}

fn rpms(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rpms(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rpm") {
            found.push(path);
        }
    }
}

#[test]
fn every_real_package_is_what_rpm_says() {
    let (Some(data), Some(rpm)) = (shared_data::folder(), Rpm::new()) else { return };
    let mut keyring = Keyring::default();
    for folder in ["keys", "rpm/rpm-rs/signing_keys/v4", "field/rpm"] {
        for entry in fs::read_dir(data.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let is_key = path.extension().is_none_or(|extension| extension != "rpm");
            if path.is_dir() || !is_key || path.ends_with("rpm-testkey-v4-rsa3072-protected.asc") {
                continue;
            }
            let key = fs::read(&path).unwrap();
            if rpm.import(&key) {
                keyring.add(&path.display().to_string(), &key).unwrap();
            }
        }
    }
    let mut paths = Vec::new();
    rpms(&data, &mut paths);
    paths.sort();
    let files: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    let good = rpm.judge(&files, &[]);
    let good_digests = rpm.judge(&files, &["--nosignature"]);
    let mut wrong = Vec::new();
    let mut signed = 0;
    for (index, path) in paths.iter().enumerate() {
        let unchecked = ours(&files[index], Signature::Unchecked);
        if unchecked.is_ok() != good_digests[index] {
            wrong.push(format!("{}: rpm {}, {unchecked:?}", path.display(), good_digests[index]));
        }
        let ours = ours(&files[index], by(&keyring));
        // rpm 4.18 does not see signatures of the sixth format.
        let is_unsigned = matches!(ours, Err(PackageError::Signature(SignatureError::Unsigned)));
        if !is_unsigned && !path.components().any(|part| part.as_os_str() == "v6") {
            signed += usize::from(ours.is_ok());
            if ours.is_ok() != good[index] {
                wrong.push(format!("{}: rpm {}, {ours:?}", path.display(), good[index]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(signed >= 6, "{signed} of {}", paths.len());
}

#[test]
fn sha_1_is_refused_for_nodes_that_refuse_it() {
    let Some(rpm) = Rpm::new() else { return };
    let (gpg, key) = owner();
    let mut keyring = Keyring::default();
    keyring.add("owner.asc", &key).unwrap();
    for (hash, is_refused) in [("sha1", true), ("sha256", false)] {
        let define = format!("_gpg_digest_algo {hash}");
        let package = rpm.sign(&rpm.build(), &gpg, &["--define", &define]);
        for (family, refuses) in [("el7", false), ("el8", false), ("el9", true), ("el10", true)] {
            let Signature::By { keyring, expired, .. } = by(&keyring) else { panic!() };
            let node_rpm = NodeRpm::of_family(family);
            let metadata_is_signed = true;
            let wanted = Signature::By { keyring, expired, metadata_is_signed, node_rpm };
            match ours(&package, wanted) {
                Ok(()) => assert!(!(is_refused && refuses), "{hash} for {family}"),
                Err(error) => {
                    assert!(is_refused && refuses, "{hash} for {family}: {error}");
                    assert!(error.to_string().contains("does not accept SHA-1"), "{error}");
                }
            }
        }
    }
}
