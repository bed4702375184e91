//! What a key is worth on a day: revoked, expired, made for signing. The rules
//! are gpg's (`merge_selfsigs` in its `g10/getkey.c`), so that a key is the same
//! here as for the person who looks at it with gpg.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pgp::packet::{KeyFlags, Signature, SignatureType, SubpacketData};
use pgp::types::{KeyDetails, Timestamp};

use super::certificate::{Certificate, Subkey, User};

/// What a key, or a subkey, is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// Its owner has withdrawn it, for whatever reason.
    pub(super) revoked: bool,
    /// When it ends, where it does.
    pub(super) expires: Option<SystemTime>,
    /// Whether it is made for signing.
    pub(super) signs: bool,
}

impl Certificate {
    /// Of the primary key; none where it has signed nothing of itself that
    /// counts.
    pub(super) fn standing(&self, now: SystemTime) -> Option<Standing> {
        let made = self.primary.created_at();
        let direct = newest(&self.signatures, SignatureType::Key, now);
        let users: Vec<&Signature> =
            self.users.iter().filter_map(|user| of_user(user, now)).collect();
        if direct.is_none() && self.users.is_empty() {
            return None;
        }
        // What a direct signature says comes before what those of user ids say.
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

    /// Of a subkey, which is never worth more than the primary key; none where
    /// the two have not both agreed to it.
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

    /// Whether the subkey has signed that it belongs to this key: nobody else's
    /// can be bound to it.
    fn agrees(&self, subkey: &Subkey, binding: &Signature) -> bool {
        binding
            .embedded_signature()
            .is_some_and(|back| back.verify_primary_key_binding(&subkey.key, &self.primary).is_ok())
    }
}

/// The signature that decides on a user id; none where that is revoked or over.
fn of_user(user: &User, now: SystemTime) -> Option<&Signature> {
    let newest = user.signatures.iter().max_by_key(|one| age(one))?;
    (newest.typ() != Some(SignatureType::CertRevocation) && !is_over(newest, now)).then_some(newest)
}

fn newest(signatures: &[Signature], kind: SignatureType, now: SystemTime) -> Option<&Signature> {
    let valid = signatures.iter().filter(|one| one.typ() == Some(kind) && !is_over(one, now));
    valid.max_by_key(|one| age(one))
}

/// By what the newest is found. Of two of one second it is the same one, in
/// whatever order the copies came.
fn age(signature: &Signature) -> impl Ord + use<> {
    (signature.created(), signature.signed_hash_value())
}

fn is_a(kind: SignatureType) -> impl Fn(&Signature) -> bool {
    move |signature| signature.typ() == Some(kind)
}

/// Whether a signature itself has an end, and that is past.
pub(super) fn is_over(signature: &Signature, now: SystemTime) -> bool {
    signature_end(signature).is_some_and(|end| end <= now)
}

/// When a signature itself ends, where it does.
pub(super) fn signature_end(signature: &Signature) -> Option<SystemTime> {
    let life = signature.signature_expiration_time()?.as_secs();
    end(signature.created()?, (life > 0).then_some(life))
}

/// The seconds for which a signature says that a key holds.
fn life(signature: &Signature) -> Option<u32> {
    signature.key_expiration_time().map(pgp::types::Duration::as_secs).filter(|life| *life > 0)
}

fn end(made: Timestamp, life: Option<u32>) -> Option<SystemTime> {
    life.map(|life| time(made) + Duration::from_secs(u64::from(life)))
}

/// What a signature says that a key is for, where it says so.
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
