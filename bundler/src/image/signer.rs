//! Who must have signed an image, and the check of a signature over it.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bundle_format::digest::Digest;
use bundle_format::lock::{KeySignature, LockedSignature};
use bundle_format::pattern;

use super::found::Found;
use super::keyless::{self, Signed, TrustedRoot};
use super::payload::{MAX_PAYLOAD, Payload};
use super::public_key::{PublicKey, signature};
use super::refusal::Refusal;

/// Who must have signed an image.
#[derive(Clone, Debug)]
pub enum Signer {
    /// The owner of a key.
    Key {
        /// The key's file, as the spec names it.
        file: String,
        /// The key.
        key: PublicKey,
    },
    /// Somebody whom an issuer knows.
    Identity {
        /// Who: an e-mail address or a URI, in which `*` stands for any text.
        identity: String,
        /// Who knows him.
        issuer: String,
        /// A trusted root of one's own, in place of Sigstore's.
        root: Option<TrustedRoot>,
    },
}

/// Who made a signature that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedBy {
    /// The owner of this key.
    Key(PublicKey),
    /// Somebody whom an issuer knew.
    Identity(Signed),
}

impl Signer {
    /// The lock's entry of a signature, if it counts for the image that has the digest `image`.
    pub fn accept(&self, found: Found, image: Digest) -> Result<LockedSignature, Refusal> {
        let Found { payload, signature, certificate, entry } = found;
        if payload.bytes.len() as u64 > MAX_PAYLOAD {
            return Err(Refusal::Unreadable("payload"));
        }
        let own = match self {
            Self::Key { file, key } => LockedSignature::Key(KeySignature {
                key_file: file.clone(),
                key: STANDARD.encode(key.der()),
                payload_type: payload.kind,
                payload: STANDARD.encode(payload.bytes),
                signature,
            }),
            Self::Identity { root, .. } => {
                let (certificate, entry) = (certificate?, entry?);
                let own = keyless::read(payload, signature, certificate, entry, root.as_ref())?;
                LockedSignature::Identity(Box::new(own))
            }
        };
        self.check(&own, image)?;
        Ok(own)
    }

    /// Whether a signature in a lock is his, and counts.
    pub fn check(&self, own: &LockedSignature, image: Digest) -> Result<(), Refusal> {
        match (self, check(own, image)?) {
            (Self::Key { key, .. }, SignedBy::Key(by)) if by == *key => Ok(()),
            (Self::Identity { identity, issuer, root }, SignedBy::Identity(by)) => {
                if !pattern::fits(identity, &by.identity) {
                    return Err(Refusal::OtherIdentity(by.identity));
                }
                if *issuer != by.issuer {
                    return Err(Refusal::OtherIssuer(by.issuer));
                }
                match root.as_ref().map(TrustedRoot::digest) == by.root {
                    true => Ok(()),
                    false => Err(Refusal::OtherAuthority),
                }
            }
            _ => Err(Refusal::NotTheKeys),
        }
    }

    /// How a lock names him, if that is fixed.
    pub fn is_named_as_in(&self, own: &LockedSignature) -> bool {
        match (self, own) {
            (Self::Key { file, .. }, LockedSignature::Key(own)) => *file == own.key_file,
            _ => true,
        }
    }
}

impl fmt::Display for Signer {
    /// `the key keys/team.pub`, or `a@b.example, as https://accounts.example says`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key { file, .. } => write!(f, "the key {file}"),
            Self::Identity { identity, issuer, .. } => write!(f, "{identity}, as {issuer} says,"),
        }
    }
}

/// Checks a signature in a lock over the image that has the digest `image`, with all that the
/// lock has for it.
pub fn check(own: &LockedSignature, image: Digest) -> Result<SignedBy, Refusal> {
    match own {
        LockedSignature::Key(own) => of_key(own, image).map(SignedBy::Key),
        LockedSignature::Identity(own) => keyless::check(own, image).map(SignedBy::Identity),
    }
}

fn of_key(own: &KeySignature, image: Digest) -> Result<PublicKey, Refusal> {
    let key = STANDARD.decode(&own.key).ok().and_then(|der| PublicKey::from_der(&der));
    let key = key.ok_or(Refusal::Unreadable("key"))?;
    let payload = Payload::of_lock(own.payload_type.as_ref(), &own.payload);
    let payload = payload.ok_or(Refusal::Unreadable("payload"))?;
    let made = signature(&own.signature).ok_or(Refusal::Unreadable("signature"))?;
    // Nothing in the payload is looked at before that.
    if !key.signed(&payload.signed(), &made) {
        return Err(Refusal::NotTheKeys);
    }
    payload.check(image)?;
    Ok(key)
}
