//! Vendors' public keys, and whether their signatures count.
//!
//! The OpenPGP library only checks the mathematics. The rules are ours: a revoked key
//! does not count, an expired one counts only if the spec says so, a subkey counts at
//! most as much as its primary key, and hashes that can be forged are not accepted.

use std::io::{self, Read};
use std::time::SystemTime;

use bundle_format::day::day;
use bundle_format::recognise;
use pgp::composed::DetachedSignature;
use pgp::crypto::hash::HashAlgorithm;
use pgp::crypto::public_key::PublicKeyAlgorithm;
use pgp::packet::{PublicKey, Signature, SignatureType};
use pgp::types::KeyDetails;

use super::certificate::{self, Certificate, Subkey, is_issuer};
use super::signatory::Signatory;
use super::standing::{Standing, is_over, signature_end, time};
use super::{armor, detached};

/// The largest key file that is read, in bytes.
pub const MAX_KEY: u64 = 1 << 20;

/// What to do with signatures by a key that has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiredKeys {
    /// They do not count.
    Refuse,
    /// They count. The spec gives the reason.
    Allow,
}

/// The keys that a repository may sign with. Each key is in it once, united from all
/// its copies.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    keys: Vec<Certificate>,
    /// Revocations of keys that are not here, or not yet.
    revocations: Vec<Signature>,
}

/// A key file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{file} holds no public key that can be used{}", .reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default())]
pub struct KeyError {
    file: String,
    reason: Option<String>,
}

/// Why a signature does not count.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SignatureError {
    /// There is no signature.
    #[error("it is not signed")]
    Unsigned,
    /// These bytes are not a signature.
    #[error("its signature cannot be read: {0}")]
    Malformed(String),
    /// The signed bytes cannot be read.
    #[error("it cannot be read again to check its signature: {0}")]
    Unreadable(String),
    /// OpenPGP allows its form, but rpm does not read it.
    #[error(
        "its signature has a form that rpm does not read: more than one packet, or something critical that it does not know"
    )]
    Form,
    /// It is not a signature of a document.
    #[error("its signature is of a kind that is not for files")]
    Kind,
    /// None of the given keys made it.
    #[error("it is signed with key {found}, and the keys given are {}; get that key from the vendor, in a way that you trust", .known.join(", "))]
    UnknownKey {
        /// The key id in the signature.
        found: String,
        /// The given keys.
        known: Vec<String>,
    },
    /// The key has expired.
    #[error(
        "it is signed with key {key}, which expired on {date}; get the renewed key from the vendor and name it under `keys`, in place of the old copy or beside it, or set `expiredKeys: {{allow: REASON}}` for this repository"
    )]
    Expired {
        /// The key.
        key: String,
        /// The day on which it expired.
        date: String,
    },
    /// The key's owner has revoked it.
    #[error(
        "it is signed with key {0}, which its owner has revoked; get the new key from the vendor"
    )]
    Revoked(String),
    /// Nobody can tell whether the key was revoked.
    #[error(
        "it is signed with key {key}, which may be revoked: it has a revocation by {revoker}, whose key is not given, so this cannot be checked; name that key under `keys` too (what it signs is then accepted as well), or get a new key from the vendor"
    )]
    RevokerMissing {
        /// The key.
        key: String,
        /// The fingerprint of the missing revoker's key.
        revoker: String,
    },
    /// The key has no statement about itself that its primary key has signed.
    #[error(
        "it is signed with key {0}, which has no valid signature of its own that says who it is; get a whole copy from the vendor"
    )]
    NoSelfSignature(String),
    /// The key is not made for signing.
    #[error(
        "it is signed with key {0}, which its owner has not made for signing, or which has not agreed to belong to that owner"
    )]
    NotForSigning(String),
    /// The key was made after the signature, or after today.
    #[error(
        "it is signed with key {key}, which was made on {date}: that is after the signature, or after today by this machine's clock"
    )]
    TooYoung {
        /// The key.
        key: String,
        /// The day on which it was made.
        date: String,
    },
    /// The signature itself has expired.
    #[error("its signature by key {key} was valid until {date}; the vendor has to sign it again")]
    Over {
        /// The key.
        key: String,
        /// The day on which it expired.
        date: String,
    },
    /// Its hash can be forged.
    #[error("its signature uses {0}, which can be forged")]
    Weak(String),
    /// The bytes are not those that were signed.
    #[error(
        "its signature by key {0} is wrong: the file was changed, or the signature belongs to another file"
    )]
    Bad(String),
}

/// How the signatures of something are judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judgement<'a> {
    /// The kinds that count. A signature of a text ignores changed line ends.
    pub(super) kinds: &'a [SignatureType],
    pub(super) expired: ExpiredKeys,
    pub(super) now: SystemTime,
}

/// Why `bytes` contain no key. If they are something else, says what they are.
fn of_no_key(bytes: &[u8], reason: Option<String>) -> Option<String> {
    // The first bit of a packet is set (RFC 9580, 4.2). Armored keys have a mark.
    let is_packet = bytes.first().is_some_and(|first| first & 0x80 != 0);
    match recognise::what(bytes) {
        recognise::OPENPGP_KEY => reason,
        recognise::UNKNOWN if is_packet => reason,
        other => Some(format!(
            "it is {other}, not an OpenPGP key: such a file begins with `-----BEGIN PGP PUBLIC \
             KEY BLOCK-----`"
        )),
    }
}

impl Keyring {
    /// Adds every key of `bytes`, armored or binary. If the key is here already,
    /// its copies are united. A key that cannot be read does not affect the
    /// others. A file without a usable key or revocation is an error.
    pub fn add(&mut self, file: &str, bytes: &[u8]) -> Result<(), KeyError> {
        let parsed = certificate::parse(bytes);
        if parsed.certificates.is_empty() && parsed.revocations.is_empty() {
            return Err(KeyError {
                file: file.to_owned(),
                reason: of_no_key(bytes, parsed.reason),
            });
        }
        self.take(&parsed.certificates, &parsed.revocations);
        Ok(())
    }

    /// Adds every key of `other`.
    pub fn unite(&mut self, other: &Self) {
        self.take(&other.keys, &other.revocations);
    }

    fn take(&mut self, keys: &[Certificate], revocations: &[Signature]) {
        for key in keys {
            match self.keys.iter_mut().find(|own| own.is_same_key(key)) {
                Some(own) => drop(own.unite(key)),
                None => self.keys.push(key.clone()),
            }
        }
        self.revocations.extend_from_slice(revocations);
        self.revoke(&[]);
    }

    /// Adds what `others` know about the keys that are here.
    pub fn learn(&mut self, others: &Self) {
        for key in &mut self.keys {
            if let Some(copy) = others.keys.iter().find(|other| other.is_same_key(key)) {
                key.unite(copy);
            }
        }
        self.revocations.extend(others.revocations.iter().cloned());
        self.revoke(&others.keys);
    }

    /// Applies all revocations to their keys. Keys of `others` may have made some
    /// of them.
    fn revoke(&mut self, others: &[Certificate]) {
        let revokers = self.keys.iter().chain(others);
        let revokers: Vec<PublicKey> = revokers.map(|key| key.primary.clone()).collect();
        for key in &mut self.keys {
            for revocation in &self.revocations {
                if !key.revoke(revocation) {
                    key.claim(revocation);
                }
            }
            key.judge_claims(&revokers);
        }
    }

    /// The key file that a node gets instead of `bytes`, a key file of this
    /// keyring. `None` if the file has everything that is known about its keys,
    /// and rpm can import it unchanged. rpm keeps the first copy of a key that it
    /// meets, so every copy must be complete.
    pub fn united(&self, bytes: &[u8]) -> Result<Option<Vec<u8>>, KeyError> {
        let parsed = certificate::parse(bytes);
        let is_whole = armor::is_importable(bytes)
            && parsed.revocations.is_empty()
            && parsed.certificates.iter().all(|copy| {
                let own = self.keys.iter().find(|own| own.is_same_key(copy));
                own.is_none_or(|own| !copy.clone().unite(own))
            });
        if is_whole {
            return Ok(None);
        }
        let is_in_file = |own: &&Certificate| {
            parsed.certificates.is_empty()
                || parsed.certificates.iter().any(|copy| copy.is_same_key(own))
        };
        let mut text = Vec::new();
        for key in self.keys.iter().filter(is_in_file) {
            let armored = key.armored().map_err(|error| KeyError {
                file: describe(key),
                reason: Some(error.to_string()),
            })?;
            text.extend(armored);
        }
        Ok(Some(text))
    }

    /// The fingerprint of each key, in upper-case hex.
    pub fn fingerprints(&self) -> Vec<String> {
        self.keys.iter().map(|key| fingerprint(&key.primary)).collect()
    }

    /// The date on which each key expires, as seen at the time `now`, if it does.
    pub fn expiries(&self, now: SystemTime) -> Vec<Option<SystemTime>> {
        self.keys.iter().map(|key| key.standing(now).and_then(|key| key.expires)).collect()
    }

    /// Who made a signature that was checked before, with the key or subkey of this
    /// fingerprint. `None` if no key here has it.
    pub fn signatory(
        &self,
        fingerprint: &str,
        hash: Option<HashAlgorithm>,
        now: SystemTime,
    ) -> Option<Signatory> {
        let mut all = self.keys.iter().flat_map(Signer::all);
        let signer = all.find(|signer| self::fingerprint(signer.details()) == fingerprint)?;
        let expires = signer.standing(now).and_then(|standing| standing.expires);
        Some(signer.signatory(hash, expires))
    }

    /// Whether one of the signatures in `signatures` (armored or binary, one or
    /// several) over `content` is by one of these keys and counts at the time
    /// `now`. Gives the key. One with SHA-1 is taken only if there is none better.
    pub fn verify(
        &self,
        content: &[u8],
        signatures: &[u8],
        expired: ExpiredKeys,
        now: SystemTime,
    ) -> Result<Signatory, SignatureError> {
        let kinds = &[SignatureType::Binary, SignatureType::Text];
        let judgement = Judgement { kinds, expired, now };
        self.judge(&|| Ok(Box::new(content)), signatures, judgement)
    }

    /// The keys that are made for signing, each with whether it is a subkey, and
    /// its algorithm.
    pub(super) fn signing(
        &self,
        now: SystemTime,
    ) -> impl Iterator<Item = (bool, PublicKeyAlgorithm)> {
        self.keys.iter().flat_map(move |key| {
            let signs = |standing: Option<Standing>| standing.is_some_and(|one| one.signs);
            let primary = signs(key.standing(now)).then(|| (false, key.primary.algorithm()));
            let subkeys = key.subkeys.iter();
            let subkeys = subkeys.filter(move |subkey| signs(key.subkey_standing(subkey, now)));
            let subkeys = subkeys.map(|subkey| (true, subkey.key.algorithm()));
            primary.into_iter().chain(subkeys)
        })
    }

    /// The same, for content that is too large for memory. `open` reads it again
    /// for each signature.
    pub(super) fn judge<'a>(
        &self,
        open: Open<'_, 'a>,
        signatures: &[u8],
        judgement: Judgement<'_>,
    ) -> Result<Signatory, SignatureError> {
        let malformed = |error: pgp::errors::Error| SignatureError::Malformed(error.to_string());
        let signatures = detached::signatures(signatures).map_err(malformed)?;
        let (mut problem, mut with_sha1) = (SignatureError::Unsigned, None);
        for DetachedSignature { signature } in &signatures {
            match self.judge_one(open, signature, judgement) {
                Ok(by) if by.is_sha1() => with_sha1 = with_sha1.or(Some(by)),
                Ok(by) => return Ok(by),
                // Of several errors, one about a given key says more.
                Err(SignatureError::UnknownKey { .. }) if problem != SignatureError::Unsigned => {}
                Err(error) => problem = error,
            }
        }
        with_sha1.ok_or(problem)
    }

    fn judge_one(
        &self,
        open: Open<'_, '_>,
        signature: &Signature,
        judgement: Judgement<'_>,
    ) -> Result<Signatory, SignatureError> {
        if !signature.typ().is_some_and(|kind| judgement.kinds.contains(&kind)) {
            return Err(SignatureError::Kind);
        }
        if let Some(hash @ (HashAlgorithm::Md5 | HashAlgorithm::Ripemd160)) = signature.hash_alg() {
            return Err(SignatureError::Weak(hash.to_string()));
        }
        let mut named = None;
        let all = self.keys.iter().flat_map(Signer::all);
        for signer in all.filter(|signer| is_issuer(signature, signer.details())) {
            let content = open().map_err(|error| SignatureError::Unreadable(error.to_string()))?;
            if signer.made(signature, content) {
                let expires = signer.judge(signature, judgement)?;
                return Ok(signer.signatory(signature.hash_alg(), expires));
            }
            named = Some(signer.describe());
        }
        Err(match named {
            Some(key) => SignatureError::Bad(key),
            None => SignatureError::UnknownKey {
                found: issuer(signature),
                known: self.keys.iter().map(describe).collect(),
            },
        })
    }
}

/// Opens the signed content at its beginning.
pub(super) type Open<'o, 'a> = &'o dyn Fn() -> io::Result<Box<dyn Read + 'a>>;

/// A primary key or subkey that a signature names.
struct Signer<'a> {
    key: &'a Certificate,
    subkey: Option<&'a Subkey>,
}

impl<'a> Signer<'a> {
    fn all(key: &'a Certificate) -> impl Iterator<Item = Self> {
        let subkeys = key.subkeys.iter().map(Some);
        [None].into_iter().chain(subkeys).map(move |subkey| Self { key, subkey })
    }

    fn details(&self) -> &'a dyn KeyDetails {
        match self.subkey {
            Some(subkey) => &subkey.key,
            None => &self.key.primary,
        }
    }

    fn standing(&self, now: SystemTime) -> Option<Standing> {
        match self.subkey {
            Some(subkey) => self.key.subkey_standing(subkey, now),
            None => self.key.standing(now),
        }
    }

    fn made(&self, signature: &Signature, content: impl Read) -> bool {
        match self.subkey {
            Some(subkey) => signature.verify(&subkey.key, content).is_ok(),
            None => signature.verify(&self.key.primary, content).is_ok(),
        }
    }

    /// When the key expires. An error if it was not valid when it signed, or is not now.
    fn judge(
        &self,
        signature: &Signature,
        Judgement { expired, now, .. }: Judgement<'_>,
    ) -> Result<Option<SystemTime>, SignatureError> {
        let key = self.describe();
        let made = self.details().created_at();
        let Some(Standing { revoked, expires, signs }) = self.standing(now) else {
            return Err(SignatureError::NoSelfSignature(key));
        };
        if revoked {
            return Err(SignatureError::Revoked(key));
        }
        if let Some(revoker) = self.key.missing_revoker() {
            return Err(SignatureError::RevokerMissing { key, revoker });
        }
        if !signs {
            return Err(SignatureError::NotForSigning(key));
        }
        if signature.created().is_none_or(|signed| signed < made) || time(made) > now {
            return Err(SignatureError::TooYoung { key, date: day(time(made)) });
        }
        if let Some(end) = signature_end(signature).filter(|_| is_over(signature, now)) {
            return Err(SignatureError::Over { key, date: day(end) });
        }
        match expires {
            Some(end) if end <= now && expired == ExpiredKeys::Refuse => {
                Err(SignatureError::Expired { key, date: day(end) })
            }
            _ => Ok(expires),
        }
    }

    fn signatory(&self, hash: Option<HashAlgorithm>, expires: Option<SystemTime>) -> Signatory {
        Signatory {
            fingerprint: fingerprint(&self.key.primary),
            signing_key: fingerprint(self.details()),
            words: self.describe(),
            expires,
            key_id: self.details().legacy_key_id(),
            is_subkey: self.subkey.is_some(),
            hash,
            algorithm: self.details().algorithm(),
        }
    }

    fn describe(&self) -> String {
        match self.subkey {
            Some(subkey) => {
                format!("{}, a subkey of {}", fingerprint(&subkey.key), describe(self.key))
            }
            None => describe(self.key),
        }
    }
}

fn describe(key: &Certificate) -> String {
    let user = key.users.first().map(|user| String::from_utf8_lossy(user.id.id()));
    format!("{} ({})", fingerprint(&key.primary), user.unwrap_or_default())
}

fn fingerprint(key: &dyn KeyDetails) -> String {
    hex::encode_upper(key.fingerprint().as_bytes())
}

fn issuer(signature: &Signature) -> String {
    match (signature.issuer_fingerprint().first(), signature.issuer_key_id().first()) {
        (Some(fingerprint), _) => hex::encode_upper(fingerprint.as_bytes()),
        (None, Some(id)) => hex::encode_upper(id.as_ref()),
        (None, None) => "of an unnamed maker".to_owned(),
    }
}

#[cfg(test)]
mod tests;
