//! Vendors' public keys and what their signatures are worth.
//!
//! The OpenPGP library checks mathematics only; the policy is ours: a revoked
//! key counts for nothing, an expired one only where the spec says so, and
//! hashes that can be forged are not accepted.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pgp::composed::{Deserializable, DetachedSignature, SignedPublicKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureType};
use pgp::types::{KeyDetails, Tag, VerifyingKey};

/// The largest key file that is read, in bytes.
pub const MAX_KEY: u64 = 1 << 20;

/// What becomes of signatures by a key that has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiredKeys {
    /// They do not count.
    Refuse,
    /// They count; the spec gives the reason.
    Allow,
}

/// The keys that a repository may sign with.
#[derive(Debug, Default)]
pub struct Keyring {
    keys: Vec<Key>,
}

/// One key.
#[derive(Debug)]
pub struct Key {
    public: SignedPublicKey,
    user: String,
    expires: Option<SystemTime>,
    revoked: bool,
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
    /// What should be a signature is none.
    #[error("its signature cannot be read: {0}")]
    Malformed(String),
    /// The key is none of those given.
    #[error("it is signed with key {found}, and the keys given are {}; get that key from the vendor, by a way that you trust", .known.join(", "))]
    UnknownKey {
        /// The key id in the signature.
        found: String,
        /// The keys given.
        known: Vec<String>,
    },
    /// The key has expired.
    #[error(
        "it is signed with key {key}, which expired on {date}; get the renewed key from the vendor, or set `expiredKeys: {{allow: REASON}}` for this repository"
    )]
    Expired {
        /// The key.
        key: String,
        /// The day.
        date: String,
    },
    /// The key's owner has withdrawn it.
    #[error(
        "it is signed with key {0}, which its owner has revoked; get the new key from the vendor"
    )]
    Revoked(String),
    /// The hash can be forged.
    #[error("its signature uses {0}, which can be forged")]
    Weak(String),
    /// The signed bytes are other bytes.
    #[error(
        "its signature by key {0} does not fit: the bytes were changed, or the signature belongs to others"
    )]
    Bad(String),
}

impl Keyring {
    /// Takes in every key of `bytes`, armored or binary. One key that cannot be
    /// read does not spoil the rest; a file without a single usable key is an
    /// error.
    pub fn add(&mut self, file: &str, bytes: &[u8]) -> Result<(), KeyError> {
        let before = self.keys.len();
        let mut reason = None;
        for block in blocks(bytes) {
            let parsed: Vec<_> = if block.starts_with(b"-----BEGIN") {
                match SignedPublicKey::from_armor_many(block) {
                    Ok((keys, _)) => keys.collect(),
                    Err(error) => vec![Err(error)],
                }
            } else {
                match SignedPublicKey::from_bytes_many(block) {
                    Ok(keys) => keys.collect(),
                    Err(error) => vec![Err(error)],
                }
            };
            for key in parsed {
                match key {
                    Ok(public) => self.keys.push(Key::new(public)),
                    Err(error) => reason = Some(error.to_string()),
                }
            }
        }
        if self.keys.len() == before {
            return Err(KeyError { file: file.to_owned(), reason });
        }
        Ok(())
    }

    /// The fingerprint of each key, in upper-case hex.
    pub fn fingerprints(&self) -> Vec<String> {
        self.keys.iter().map(Key::fingerprint).collect()
    }

    /// When each key expires, where it does.
    pub fn expiries(&self) -> Vec<Option<SystemTime>> {
        self.keys.iter().map(|key| key.expires).collect()
    }

    /// Whether one of the signatures in `signatures` (armored or binary, one or
    /// several) over `content` is by one of these keys and counts on the day
    /// `now`. Gives the fingerprint of the key.
    pub fn verify(
        &self,
        content: &[u8],
        signatures: &[u8],
        expired: ExpiredKeys,
        now: SystemTime,
    ) -> Result<String, SignatureError> {
        let malformed = |error: pgp::errors::Error| SignatureError::Malformed(error.to_string());
        let signatures: Vec<DetachedSignature> = if signatures.starts_with(b"-----BEGIN") {
            DetachedSignature::from_armor_many(signatures)
                .map_err(malformed)?
                .0
                .collect::<Result<_, _>>()
        } else {
            DetachedSignature::from_bytes_many(signatures)
                .map_err(malformed)?
                .collect::<Result<_, _>>()
        }
        .map_err(malformed)?;
        let mut problem = SignatureError::Unsigned;
        for DetachedSignature { signature } in &signatures {
            match self.verify_one(content, signature, expired, now) {
                Ok(fingerprint) => return Ok(fingerprint),
                Err(error) => problem = error,
            }
        }
        Err(problem)
    }

    fn verify_one(
        &self,
        content: &[u8],
        signature: &Signature,
        expired: ExpiredKeys,
        now: SystemTime,
    ) -> Result<String, SignatureError> {
        if let Some(hash @ (HashAlgorithm::Md5 | HashAlgorithm::Ripemd160)) = signature.hash_alg() {
            return Err(SignatureError::Weak(hash.to_string()));
        }
        let mut named = None;
        for key in &self.keys {
            let Some(result) = key.check(signature, content) else { continue };
            if !result {
                named = Some(key.describe());
                continue;
            }
            if key.revoked {
                return Err(SignatureError::Revoked(key.describe()));
            }
            if let Some(end) = key.expires
                && end <= now
                && expired == ExpiredKeys::Refuse
            {
                return Err(SignatureError::Expired { key: key.describe(), date: day(end) });
            }
            return Ok(key.fingerprint());
        }
        Err(match named {
            Some(key) => SignatureError::Bad(key),
            None => SignatureError::UnknownKey {
                found: issuer(signature),
                known: self.keys.iter().map(Key::describe).collect(),
            },
        })
    }
}

impl Key {
    fn new(public: SignedPublicKey) -> Self {
        let primary = &public.primary_key;
        let mut self_signatures: Vec<&Signature> = public
            .details
            .direct_signatures
            .iter()
            .filter(|signature| signature.verify_key(primary).is_ok())
            .collect();
        for user in &public.details.users {
            self_signatures.extend(user.signatures.iter().filter(|signature| {
                signature.is_certification()
                    && signature.verify_certification(primary, Tag::UserId, &user.id).is_ok()
            }));
        }
        // The newest self-signature says what holds (RFC 9580, 5.2.3.10).
        let newest = self_signatures.iter().max_by_key(|signature| seconds_created(signature));
        let expires =
            newest.and_then(|signature| signature.key_expiration_time()).and_then(|life| {
                let life = u64::from(life.as_secs());
                let created = u64::from(primary.created_at().as_secs());
                (life > 0).then(|| UNIX_EPOCH + Duration::from_secs(created + life))
            });
        let revoked = public.details.revocation_signatures.iter().any(|signature| {
            signature.typ() == Some(SignatureType::KeyRevocation)
                && signature.verify_key(primary).is_ok()
        });
        let user = public
            .details
            .users
            .first()
            .map(|user| String::from_utf8_lossy(user.id.id()).into_owned())
            .unwrap_or_default();
        Self { user, expires, revoked, public }
    }

    /// Whether `signature` fits; none if it is by another key.
    fn check(&self, signature: &Signature, content: &[u8]) -> Option<bool> {
        if is_issuer(signature, &self.public.primary_key) {
            return Some(signature.verify(&self.public.primary_key, content).is_ok());
        }
        self.public
            .public_subkeys
            .iter()
            .filter(|subkey| is_issuer(signature, &subkey.key))
            // A subkey is only the owner's if the primary key says so.
            .filter(|subkey| subkey.verify_bindings(&self.public.primary_key).is_ok())
            .filter(|subkey| {
                !subkey
                    .signatures
                    .iter()
                    .any(|signature| signature.typ() == Some(SignatureType::SubkeyRevocation))
            })
            .map(|subkey| signature.verify(&subkey.key, content).is_ok())
            .next()
    }

    fn fingerprint(&self) -> String {
        hex::encode_upper(self.public.primary_key.fingerprint().as_bytes())
    }

    fn describe(&self) -> String {
        format!("{} ({})", self.fingerprint(), self.user)
    }
}

fn is_issuer(signature: &Signature, key: &impl VerifyingKey) -> bool {
    let fingerprints = signature.issuer_fingerprint();
    if !fingerprints.is_empty() {
        return fingerprints.iter().any(|found| **found == key.fingerprint());
    }
    let id = key.legacy_key_id();
    signature.issuer_key_id().iter().any(|found| **found == id)
}

fn issuer(signature: &Signature) -> String {
    match (signature.issuer_fingerprint().first(), signature.issuer_key_id().first()) {
        (Some(fingerprint), _) => hex::encode_upper(fingerprint.as_bytes()),
        (None, Some(id)) => hex::encode_upper(id.as_ref()),
        (None, None) => "of an unnamed maker".to_owned(),
    }
}

fn seconds_created(signature: &Signature) -> u32 {
    signature.created().map(pgp::types::Timestamp::as_secs).unwrap_or_default()
}

/// `02 Nov 2024`.
fn day(time: SystemTime) -> String {
    let date = httpdate::fmt_http_date(time);
    date.get(5..16).unwrap_or(&date).to_owned()
}

/// The armored blocks of a file, or the whole of a binary one.
fn blocks(bytes: &[u8]) -> Vec<&[u8]> {
    const BEGIN: &[u8] = b"-----BEGIN PGP PUBLIC KEY BLOCK-----";
    let starts: Vec<usize> = bytes
        .windows(BEGIN.len())
        .enumerate()
        .filter(|(_, window)| *window == BEGIN)
        .map(|(start, _)| start)
        .collect();
    if starts.is_empty() {
        return vec![bytes];
    }
    let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
    starts.iter().copied().zip(ends).filter_map(|(start, end)| bytes.get(start..end)).collect()
}
