use std::cell::RefCell;
use std::io::{Seek, Write};
use std::time::SystemTime;

use bundle_format::{Evr, Nevra};
use bundler::rpm::header::Outside;
use bundler::rpm::key::{ExpiredKeys, Keyring};
use bundler::rpm::node_rpm::NodeRpm;
use bundler::rpm::package_signature::{Signature, verify};

use super::{READ, SKIPPED};
use crate::rpmkeys::Rpmkeys;
use crate::vendor::VENDORS;

thread_local! {
    static JUDGE: RefCell<Option<Rpmkeys>> = RefCell::new(Rpmkeys::start());
    static KEYRING: Keyring = keyring();
}

/// What is refused here on purpose, although rpm 4.18 takes it.
const STRICTER: [&str; 9] = [
    // rpm 4.18 does not compare times.
    " was valid until ",
    "that is after the signature, or after today by this machine's clock",
    "its signature uses MD5, which can be forged",
    // rpm passes over a subpacket that it does not need, also if it makes no sense.
    "its signature cannot be read: ",
    // Newer releases of rpm check digests that 4.18 does not know.
    "it has wrong digests (SHA3-256 of its payload)",
    // rpm reads only the first of several entries, and takes no notice of a digest of numbers.
    "an entry of a header has another type or number of values than rpm asks for",
    // rpm confuses the types of texts. The library does not, and nobody's packages need it.
    "its headers make no sense: tag ",
    // A tag of newer releases that has another type.
    "its headers make no sense: unable to find tag ",
    // The stranger's fingerprint, which is signed, beside a vendor's key id, which is not: rpm
    // does not read the fingerprint.
    "it is signed with key C07803CF8402BC8C7A66DF47A6D7F84419910F7A, and the keys given are ",
];

/// Compares with rpm. What counts here as signed by a vendor counts there too.
pub(super) fn package_signature(bytes: &[u8]) -> String {
    let judged = JUDGE.with_borrow(|judge| judge.as_ref().map(|judge| judge.judge(bytes)));
    let Some(judged) = judged else {
        return format!("{SKIPPED}there is no rpmkeys");
    };
    match (own(bytes), judged) {
        (Ok(()), Ok(())) => READ.to_owned(),
        // rpm 4.18 knows no such signatures; newer releases do.
        (Ok(()), Err(wrong)) if has_openpgp(bytes) && wrong.split("; ").all(is_missing) => {
            "it has only signatures of a newer kind".to_owned()
        }
        (Ok(()), Err(wrong)) => panic!("rpm refuses it: {wrong}"),
        (Err(refusal), Ok(())) => {
            let is_stricter = STRICTER.iter().any(|words| refusal.contains(words));
            assert!(is_stricter, "rpm takes it: {refusal}");
            refusal
        }
        (Err(refusal), Err(_)) => refusal,
    }
}

fn is_missing(line: &str) -> bool {
    line.ends_with(": NOTFOUND")
}

fn has_openpgp(bytes: &[u8]) -> bool {
    let tag = rpm::IndexSignatureTag::RPMSIGTAG_OPENPGP;
    rpm::PackageMetadata::parse(&mut &*bytes).is_ok_and(|one| one.signature.entry_is_present(tag))
}

/// What we say of a package that no signed metadata names.
fn own(bytes: &[u8]) -> Result<(), String> {
    let mut file = tempfile::tempfile_in("/dev/shm").expect("there is room");
    file.write_all(bytes).and_then(|()| file.rewind()).expect("there is room");
    let package = name(bytes).unwrap_or_else(|| "no-0-0.noarch".parse().expect("it is a package"));
    let checksum = bundle_format::Digest::of(bytes).into();
    let verified = KEYRING.with(|keyring| {
        let signature = Signature::By {
            keyring,
            expired: ExpiredKeys::Refuse,
            metadata_is_signed: false,
            node_rpm: NodeRpm::Newer,
        };
        verify(file, &package, &checksum, signature, SystemTime::now())
    });
    verified.map(drop).map_err(|error| format!("{:#}", anyhow::Error::from(error)))
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

fn keyring() -> Keyring {
    let mut keyring = Keyring::default();
    for key in VENDORS.public() {
        keyring.add("vendor.asc", &key).expect("it is a key");
    }
    keyring
}
