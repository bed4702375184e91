//! The state of a key on a day: whether it is revoked, expired, or made for signing.
//! The rules are gpg's (`merge_selfsigs` in its `g10/getkey.c`), so that this agrees
//! with what a person sees in gpg.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pgp::packet::{KeyFlags, Signature, SignatureType, SubpacketData};
use pgp::types::{KeyDetails, Timestamp};

use super::certificate::{Certificate, Subkey, User};

/// The state of a key or a subkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// Whether its owner has revoked it, for any reason.
    pub(super) revoked: bool,
    /// When it expires, if it does.
    pub(super) expires: Option<SystemTime>,
    /// Whether it is made for signing.
    pub(super) signs: bool,
}

impl Certificate {
    /// The state of the primary key. `None` if it has signed nothing about itself
    /// that counts.
    pub(super) fn standing(&self, now: SystemTime) -> Option<Standing> {
        let made = self.primary.created_at();
        let direct = newest(&self.signatures, SignatureType::Key, now);
        let users: Vec<&Signature> =
            self.users.iter().filter_map(|user| of_user(user, now)).collect();
        if direct.is_none() && self.users.is_empty() {
            return None;
        }
        // Direct signatures come before those of user ids.
        let by_age = |find: fn(&Signature) -> bool| {
            let of_users = users.iter().copied().filter(move |one| find(one));
            direct.filter(|one| find(one)).or(of_users.max_by_key(|one| age(one)))
        };
        Some(Standing {
            revoked: self.signatures.iter().any(is_a(SignatureType::KeyRevocation)),
            expires: by_age(|one| life(one).is_some()).and_then(|one| end(made, life(one))),
            signs: by_age(|one| flags(one).is_some()).is_none_or(signs),
        })
    }

    /// The state of a subkey. It is never better than the primary key's. `None`
    /// if the two have not both agreed to it.
    pub(super) fn subkey_standing(&self, subkey: &Subkey, now: SystemTime) -> Option<Standing> {
        let primary = self.standing(now)?;
        let binding = newest(&subkey.signatures, SignatureType::SubkeyBinding, now)?;
        let own_end = end(subkey.key.created_at(), life(binding));
        Some(Standing {
            revoked: primary.revoked
                || subkey.signatures.iter().any(is_a(SignatureType::SubkeyRevocation)),
            expires: [primary.expires, own_end].into_iter().flatten().min(),
            signs: signs(binding) && self.agrees(subkey, binding),
        })
    }

    /// Whether the subkey has signed that it belongs to this key. Without that,
    /// somebody could add the subkey of another key.
    fn agrees(&self, subkey: &Subkey, binding: &Signature) -> bool {
        binding
            .embedded_signature()
            .is_some_and(|back| back.verify_primary_key_binding(&subkey.key, &self.primary).is_ok())
    }
}

/// The signature that decides about a user id. `None` if the user id is revoked or
/// has expired.
fn of_user(user: &User, now: SystemTime) -> Option<&Signature> {
    let newest = user.signatures.iter().max_by_key(|one| age(one))?;
    (newest.typ() != Some(SignatureType::CertRevocation) && !is_over(newest, now)).then_some(newest)
}

fn newest(signatures: &[Signature], kind: SignatureType, now: SystemTime) -> Option<&Signature> {
    let valid = signatures.iter().filter(|one| one.typ() == Some(kind) && !is_over(one, now));
    valid.max_by_key(|one| age(one))
}

/// The sort key for the newest signature. If two were made in the same second, the
/// choice does not depend on the order of the copies.
fn age(signature: &Signature) -> impl Ord + use<> {
    (signature.created(), signature.signed_hash_value())
}

fn is_a(kind: SignatureType) -> impl Fn(&Signature) -> bool {
    move |signature| signature.typ() == Some(kind)
}

/// Whether a signature itself has expired.
pub(super) fn is_over(signature: &Signature, now: SystemTime) -> bool {
    signature_end(signature).is_some_and(|end| end <= now)
}

/// When a signature itself expires, if it does.
pub(super) fn signature_end(signature: &Signature) -> Option<SystemTime> {
    let life = signature.signature_expiration_time()?.as_secs();
    end(signature.created()?, (life > 0).then_some(life))
}

/// For how many seconds a key is valid, according to a signature.
fn life(signature: &Signature) -> Option<u32> {
    signature.key_expiration_time().map(pgp::types::Duration::as_secs).filter(|life| *life > 0)
}

fn end(made: Timestamp, life: Option<u32>) -> Option<SystemTime> {
    life.map(|life| time(made) + Duration::from_secs(u64::from(life)))
}

/// What a key is for, if a signature says so.
fn flags(signature: &Signature) -> Option<&KeyFlags> {
    signature.config()?.hashed_subpackets().find_map(|subpacket| match &subpacket.data {
        SubpacketData::KeyFlags(flags) => Some(flags),
        _ => None,
    })
}

fn signs(signature: &Signature) -> bool {
    flags(signature).is_none_or(KeyFlags::sign)
}

pub(super) fn time(timestamp: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::from(timestamp.as_secs()))
}
