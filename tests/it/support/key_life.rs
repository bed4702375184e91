//! What the owner of a key does in its life, by gpg, and what gpg and we say of a
//! signature then.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bundler::rpm::key::{ExpiredKeys, Keyring, SignatureError};

use super::gpg::Gpg;

pub(crate) const DOCUMENT: &[u8] = b"<repomd/>\n";

/// What becomes of the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Good,
    Expired,
    Revoked,
    /// The signature itself had an end.
    Over,
    /// It does not fit, or its key is good for nothing.
    Refused,
}
use Verdict::{Expired, Good, Over, Refused, Revoked};

/// One thing that the owner of a key does, on a day.
pub(crate) enum Deed {
    /// Makes the key `k`, for this purpose and time.
    Key(&'static str, &'static str),
    /// The same as old ones are: RSA.
    OldKey(&'static str, &'static str),
    /// Adds a subkey.
    Subkey(&'static str, &'static str),
    /// Lets the key, or its first subkey, hold so long from that day.
    Renew(&'static str),
    RenewSubkey(&'static str),
    /// Has more user ids, or withdraws one.
    AddUser(&'static str),
    RevokeUser(&'static str),
    /// Withdraws the first subkey.
    RevokeSubkey,
    /// Publishes the key as it is then.
    Publish(&'static str),
    /// Publishes what gpg wrote beside the new key: its revocation alone.
    PublishRevocation(&'static str),
    /// Takes the revocation to the key itself.
    Revoke,
    /// Signs the document.
    Sign(&'static [&'static str]),
}
use Deed::*;

pub(crate) fn keyring(files: &[Vec<u8>]) -> Keyring {
    let mut keyring = Keyring::default();
    for file in files {
        keyring.add("copy", file).unwrap();
    }
    keyring
}

pub(crate) fn assert_ours(
    keyring: &Keyring,
    owner: &Owner,
    today: u64,
    expected: Verdict,
    words: &str,
) {
    assert_ours_of(keyring, owner, &owner.path("sig"), today, expected, words);
}

pub(crate) fn assert_ours_of(
    keyring: &Keyring,
    owner: &Owner,
    signature: &Path,
    today: u64,
    expected: Verdict,
    words: &str,
) {
    let signature = fs::read(signature).unwrap();
    let verify = |expired| keyring.verify(DOCUMENT, &signature, expired, time(today));
    let result = verify(ExpiredKeys::Refuse);
    let verdict = match &result {
        Ok(_) => Good,
        Err(SignatureError::Expired { .. }) => Expired,
        Err(SignatureError::Revoked(_)) => Revoked,
        Err(SignatureError::Over { .. }) => Over,
        Err(_) => Refused,
    };
    assert_eq!(verdict, expected, "{words}: {result:?}");
    assert_eq!(keyring.fingerprints(), [owner.fingerprint.as_str()], "{words}");
    // What the spec allows of expired keys is nothing else.
    assert_eq!(verify(ExpiredKeys::Allow).is_ok(), matches!(expected, Good | Expired), "{words}");
}

/// What a gpg that knows nothing but these files says of the signature.
pub(crate) fn by_gpg(files: &[Vec<u8>], signature: &Path, today: u64) -> Verdict {
    let reader = Gpg::new();
    // A revocation alone needs its key first: twice, for any order.
    for file in files.iter().chain(files) {
        let path = reader.folder().join("copy");
        fs::write(&path, file).unwrap();
        reader.run(seconds(today), &["--import", path.to_str().unwrap()]);
    }
    let document = reader.folder().join("document");
    fs::write(&document, DOCUMENT).unwrap();
    let arguments =
        ["--status-fd", "1", "--verify", signature.to_str().unwrap(), document.to_str().unwrap()];
    let output = reader.run(seconds(today), &arguments);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = |word: &str| text.contains(&format!("[GNUPG:] {word} "));
    match () {
        () if said("GOODSIG") => Good,
        () if said("EXPKEYSIG") => Expired,
        () if said("REVKEYSIG") => Revoked,
        () if said("EXPSIG") => Over,
        () if said("ERRSIG") || said("BADSIG") => Refused,
        () => panic!("gpg says {text} {}", String::from_utf8_lossy(&output.stderr)),
    }
}

/// Somebody with a key, and what was published of it.
pub(crate) struct Owner {
    pub(crate) folder: PathBuf,
    pub(crate) fingerprint: String,
}

impl Owner {
    pub(crate) fn live(folder: &Path, life: &[(u64, Deed)]) -> Self {
        let gpg = Gpg::new();
        let mut owner = Self { folder: folder.to_owned(), fingerprint: String::new() };
        fs::write(owner.path("document"), DOCUMENT).unwrap();
        for (day, deed) in life {
            owner.act(&gpg, seconds(*day), deed);
        }
        owner
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn act(&mut self, gpg: &Gpg, at: u64, deed: &Deed) {
        let key = self.fingerprint.clone();
        let ok = |arguments: &[&str]| gpg.ok(at, arguments);
        match deed {
            Key(usage, time) | OldKey(usage, time) => {
                let user = "Owner <owner@keys.invalid>";
                let algorithm = if matches!(deed, OldKey(..)) { "rsa2048" } else { "ed25519" };
                ok(&["--quick-gen-key", user, algorithm, usage, time]);
                self.fingerprint = gpg.fingerprints().remove(0);
            }
            Subkey("encr", time) => drop(ok(&["--quick-add-key", &key, "cv25519", "encr", time])),
            Subkey(usage, time) => drop(ok(&["--quick-add-key", &key, "ed25519", usage, time])),
            Renew(time) => drop(ok(&["--quick-set-expire", &key, time])),
            RenewSubkey(time) => {
                let subkey = &gpg.fingerprints()[1];
                ok(&["--quick-set-expire", &key, time, subkey]);
            }
            AddUser(user) => drop(ok(&["--quick-add-uid", &key, user])),
            RevokeUser(user) => drop(ok(&["--quick-revoke-uid", &key, user])),
            RevokeSubkey => gpg.edit(at, &key, "key 1\nrevkey\ny\n0\n\ny\nsave\n"),
            Publish(name) => {
                let path = self.path(name);
                ok(&["--armor", "--output", path.to_str().unwrap(), "--export", &key]);
            }
            PublishRevocation(name) => fs::write(self.path(name), gpg.revocation(&key)).unwrap(),
            Revoke => {
                let path = self.path("own-revocation");
                fs::write(&path, gpg.revocation(&key)).unwrap();
                ok(&["--import", path.to_str().unwrap()]);
            }
            Sign(options) => {
                let (signature, document) = (self.path("sig"), self.path("document"));
                let arguments =
                    ["--armor", "--output", signature.to_str().unwrap(), "--detach-sign"];
                ok(&[options, arguments.as_slice(), &[document.to_str().unwrap()]].concat());
            }
        }
    }
}

/// Day 0 is in 2020.
pub(crate) fn seconds(day: u64) -> u64 {
    1_577_836_800 + day * 86_400
}

pub(crate) fn time(day: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds(day))
}
