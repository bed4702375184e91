//! A vendor's key, with everything that it has signed about itself: user ids,
//! subkeys, expiry, revocations.
//!
//! Vendors publish a key many times: renewed, with a new subkey, revoked. As in gpg,
//! the copies are united, so that the order in which they are read does not matter.
//! Whatever the key did not sign itself is left out.

use std::io::BufReader;

use pgp::armor::Dearmor;
use pgp::composed::{SignedKeyDetails, SignedPublicKey, SignedPublicSubKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::errors::Error;
use pgp::packet::{
    Packet, PacketParser, PublicKey, PublicSubkey, Signature, SignatureType, UserId,
};
use pgp::types::{KeyDetails, KeyVersion, SignedUser, Tag};

/// A key, united from its copies. All its signatures were verified, except claims.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    pub(super) primary: PublicKey,
    /// The signatures over the key itself: direct ones and revocations.
    pub(super) signatures: Vec<Signature>,
    pub(super) users: Vec<User>,
    pub(super) subkeys: Vec<Subkey>,
    /// Revocations that name another key as their maker. They are not verified:
    /// only the revoker's key can tell whether they are real
    /// ([`super::revoker`]).
    pub(super) claims: Vec<Signature>,
}

/// A user id with its certifications and their revocations.
#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) id: UserId,
    pub(super) signatures: Vec<Signature>,
}

/// A subkey with its bindings and revocations.
#[derive(Clone, Debug)]
pub(super) struct Subkey {
    pub(super) key: PublicSubkey,
    pub(super) signatures: Vec<Signature>,
}

/// The content of a file.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub(super) certificates: Vec<Certificate>,
    /// Revocations on their own, as `gpg --gen-revoke` writes them.
    pub(super) revocations: Vec<Signature>,
    /// Why something in it could not be read.
    pub(super) reason: Option<String>,
}

/// Reads all keys of a file, armored or binary. A key that cannot be read does not
/// affect the others.
pub(super) fn parse(bytes: &[u8]) -> Parsed {
    let mut parsed = Parsed::default();
    for block in blocks(bytes) {
        let mut reading = Reading::default();
        if block.starts_with(b"-----BEGIN") {
            reading.packets(PacketParser::new(BufReader::new(Dearmor::new(block))));
        } else {
            reading.packets(PacketParser::new(block));
        }
        reading.finish_key();
        parsed.certificates.extend(reading.parsed.certificates);
        parsed.revocations.extend(reading.parsed.revocations);
        parsed.reason = reading.parsed.reason.or(parsed.reason);
    }
    parsed
}

/// What the next signature of a block belongs to.
#[derive(Default)]
enum Place {
    #[default]
    BeforeAnyKey,
    Primary,
    User,
    Subkey,
    /// Something that is not read.
    Nowhere,
}

#[derive(Default)]
struct Reading {
    parsed: Parsed,
    key: Option<Certificate>,
    place: Place,
}

impl Reading {
    fn packets(&mut self, packets: impl Iterator<Item = Result<Packet, Error>>) {
        for packet in packets {
            match packet {
                Ok(packet) => self.packet(packet),
                // The library does not know this packet, so it is
                // ignored.
                Err(error) if is_soft(&error) => self.place = Place::Nowhere,
                Err(error) => {
                    self.parsed.reason = Some(error.to_string());
                    self.key = None;
                    self.place = Place::Nowhere;
                }
            }
        }
    }

    fn packet(&mut self, packet: Packet) {
        match (packet, &mut self.key) {
            (Packet::PublicKey(primary), _) => {
                self.finish_key();
                self.key = Some(Certificate {
                    primary,
                    signatures: Vec::new(),
                    users: Vec::new(),
                    subkeys: Vec::new(),
                    claims: Vec::new(),
                });
                self.place = Place::Primary;
            }
            (Packet::UserId(id), Some(key)) => {
                key.users.push(User { id, signatures: Vec::new() });
                self.place = Place::User;
            }
            (Packet::PublicSubkey(subkey), Some(key)) => {
                key.subkeys.push(Subkey { key: subkey, signatures: Vec::new() });
                self.place = Place::Subkey;
            }
            (Packet::Signature(signature), key) => self.place.put(signature, key, &mut self.parsed),
            (Packet::Trust(_) | Packet::Marker(_) | Packet::Padding(_), _) => {}
            _ => self.place = Place::Nowhere,
        }
    }

    fn finish_key(&mut self) {
        let Some(key) = self.key.take() else { return };
        match key.primary.version() {
            // The fingerprint of older versions is an MD5 hash of a part
            // of the key.
            KeyVersion::V4 | KeyVersion::V6 => self.parsed.certificates.push(key.verified()),
            other => {
                self.parsed.reason =
                    Some(format!("keys of version {} are not used", u8::from(other)));
            }
        }
    }
}

impl Place {
    fn put(&self, signature: Signature, key: &mut Option<Certificate>, parsed: &mut Parsed) {
        let is_revocation = signature.typ() == Some(SignatureType::KeyRevocation);
        match (self, key) {
            // A revocation itself says what it is over, wherever it is.
            (_, Some(key)) if is_revocation => key.signatures.push(signature),
            (Self::BeforeAnyKey, None) if is_revocation => parsed.revocations.push(signature),
            (Self::Primary, Some(key)) => key.signatures.push(signature),
            (Self::User, Some(key)) => {
                key.users.last_mut().into_iter().for_each(|user| {
                    user.signatures.push(signature.clone());
                });
            }
            (Self::Subkey, Some(key)) => {
                key.subkeys.last_mut().into_iter().for_each(|subkey| {
                    subkey.signatures.push(signature.clone());
                });
            }
            _ => {}
        }
    }
}

impl Certificate {
    /// Removes what the key did not sign.
    fn verified(mut self) -> Self {
        let primary = &self.primary;
        let is_claim = |one: &Signature| {
            one.typ() == Some(SignatureType::KeyRevocation) && !is_issuer(one, primary)
        };
        (self.claims, self.signatures) = self.signatures.into_iter().partition(is_claim);
        self.signatures.retain(|one| is_sound(one, primary) && one.verify_key(primary).is_ok());
        for user in &mut self.users {
            user.signatures.retain(|one| {
                is_sound(one, primary)
                    && one.verify_certification(primary, Tag::UserId, &user.id).is_ok()
            });
        }
        self.users.retain(|user| !user.signatures.is_empty());
        for subkey in &mut self.subkeys {
            subkey.signatures.retain(|one| {
                is_sound(one, primary) && one.verify_subkey_binding(primary, &subkey.key).is_ok()
            });
        }
        self.subkeys.retain(|subkey| !subkey.signatures.is_empty());
        self
    }

    pub(super) fn is_same_key(&self, other: &Self) -> bool {
        self.primary.fingerprint() == other.primary.fingerprint()
    }

    /// Adds what another copy has more. Says whether there was anything.
    pub(super) fn unite(&mut self, copy: &Self) -> bool {
        let knows = |one: &Signature| self.signatures.contains(one) || self.claims.contains(one);
        let mut has_grown = !copy.signatures.iter().chain(&copy.claims).all(knows);
        unite(&mut self.signatures, &copy.signatures);
        unite(&mut self.claims, &copy.claims);
        self.claims.retain(|one| !self.signatures.contains(one));
        for user in &copy.users {
            match self.users.iter_mut().find(|own| own.id.id() == user.id.id()) {
                Some(own) => has_grown |= unite(&mut own.signatures, &user.signatures),
                None => {
                    self.users.push(user.clone());
                    has_grown = true;
                }
            }
        }
        for subkey in &copy.subkeys {
            let fingerprint = subkey.key.fingerprint();
            match self.subkeys.iter_mut().find(|own| own.key.fingerprint() == fingerprint) {
                Some(own) => has_grown |= unite(&mut own.signatures, &subkey.signatures),
                None => {
                    self.subkeys.push(subkey.clone());
                    has_grown = true;
                }
            }
        }
        has_grown
    }

    /// Adds a revocation that was on its own, if it is one of this key.
    pub(super) fn revoke(&mut self, revocation: &Signature) -> bool {
        revocation.verify_key(&self.primary).is_ok()
            && unite(&mut self.signatures, std::slice::from_ref(revocation))
    }

    /// The key as a file, for programs that keep only one copy of a key.
    pub(super) fn armored(&self) -> Result<Vec<u8>, Error> {
        let over_key: Vec<Signature> =
            self.signatures.iter().chain(self.open_claims()).cloned().collect();
        let (revocations, direct): (Vec<Signature>, Vec<Signature>) = self
            .newest_first(&over_key)
            .partition(|one| one.typ() == Some(SignatureType::KeyRevocation));
        let users = self.users.iter().map(|user| {
            SignedUser::new(user.id.clone(), self.newest_first(&user.signatures).collect())
        });
        let details = SignedKeyDetails::new(revocations, direct, users.collect(), Vec::new());
        // rpm reads the first signature after a subkey as its binding.
        let is_binding = |one: &Signature| one.typ() == Some(SignatureType::SubkeyBinding);
        let subkeys = self.subkeys.iter().filter(|subkey| subkey.signatures.iter().all(is_binding));
        let subkeys = subkeys.map(|subkey| {
            let signatures = self.newest_first(&subkey.signatures).collect();
            SignedPublicSubKey::new(subkey.key.clone(), signatures)
        });
        SignedPublicKey::new(self.primary.clone(), details, subkeys.collect())
            .to_armored_bytes(pgp::composed::ArmorOptions::default())
    }

    fn newest_first(&self, signatures: &[Signature]) -> impl Iterator<Item = Signature> + use<> {
        let mut sorted = signatures.to_vec();
        sorted.sort_by_key(|one| std::cmp::Reverse(one.created()));
        sorted.into_iter()
    }
}

/// Whether a signature names `key` as its maker.
pub(super) fn is_issuer(signature: &Signature, key: &dyn KeyDetails) -> bool {
    let fingerprints = signature.issuer_fingerprint();
    if !fingerprints.is_empty() {
        return fingerprints.iter().any(|found| **found == key.fingerprint());
    }
    let id = key.legacy_key_id();
    signature.issuer_key_id().iter().any(|found| **found == id)
}

fn unite(own: &mut Vec<Signature>, more: &[Signature]) -> bool {
    let before = own.len();
    for signature in more {
        if !own.contains(signature) {
            own.push(signature.clone());
        }
    }
    own.len() > before
}

/// Whether a signature of a key over itself may count. It may not if its hash can be
/// forged, or if it is older than the key. A revocation always may.
fn is_sound(signature: &Signature, primary: &PublicKey) -> bool {
    use SignatureType::{CertRevocation, KeyRevocation, SubkeyRevocation};
    match signature.typ() {
        Some(KeyRevocation | SubkeyRevocation | CertRevocation) => true,
        _ => {
            signature.hash_alg() != Some(HashAlgorithm::Md5)
                && signature.created().is_some_and(|made| made >= primary.created_at())
        }
    }
}

/// Whether the error only means that the library does not know a packet.
fn is_soft(error: &Error) -> bool {
    match error {
        Error::Unsupported { .. } | Error::PacketIncomplete { .. } => true,
        Error::InvalidPacketContent { source } => {
            matches!(**source, Error::Unsupported { .. } | Error::EllipticCurve { .. })
        }
        _ => false,
    }
}

/// The armored blocks of a file. A binary file is one block.
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
