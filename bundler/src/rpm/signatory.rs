//! The key whose signature counts, and a warning before it expires.

use std::time::{Duration, SystemTime};

use bundle_format::day::day;
use pgp::crypto::hash::HashAlgorithm;
use pgp::crypto::public_key::PublicKeyAlgorithm;
use pgp::types::KeyId;

/// The key whose signature counts.
#[derive(Clone, Debug)]
pub struct Signatory {
    /// The fingerprint of the primary key.
    pub fingerprint: String,
    /// The fingerprint of the signing key: the primary key, or a subkey of it.
    pub signing_key: String,
    /// A description of the signing key.
    pub words: String,
    /// When the signing key expires, if it does.
    pub expires: Option<SystemTime>,
    /// The id of the signing key.
    pub(super) key_id: KeyId,
    pub(super) is_subkey: bool,
    pub(super) algorithm: PublicKeyAlgorithm,
    /// The signature's hash, if it is known.
    pub hash: Option<HashAlgorithm>,
}

/// How long before its end a key is worth a warning by `lock` and `build`, so that somebody
/// acts. `audit` and the page for who approves tell of it earlier. Vendors renew keys some weeks
/// before.
const NOTICE: Duration = Duration::from_secs(60 * 24 * 60 * 60);

impl Signatory {
    /// The algorithms of the key and of the signature: `RSA with SHA256`.
    pub fn algorithms(&self) -> String {
        use PublicKeyAlgorithm::{DSA, ECDSA, Ed448, Ed25519, EdDSALegacy, RSA, RSASign};
        let key = match self.algorithm {
            RSA | RSASign => "RSA".to_owned(),
            DSA => "DSA".to_owned(),
            ECDSA => "ECDSA".to_owned(),
            EdDSALegacy | Ed25519 => "Ed25519".to_owned(),
            Ed448 => "Ed448".to_owned(),
            other => format!("{other:?}"),
        };
        match self.hash {
            Some(hash) => format!("{key} with {hash}"),
            None => key,
        }
    }

    /// Whether the signature's hash is SHA-1, for which somebody with much computing power can
    /// make two contents of one hash.
    pub fn is_sha1(&self) -> bool {
        self.hash == Some(HashAlgorithm::Sha1)
    }

    /// A warning, if the key expires soon. `None` if it does not, or has already.
    pub fn ends_soon(&self, now: SystemTime) -> Option<String> {
        let end = self.expires.filter(|end| *end > now && *end <= now + NOTICE)?;
        Some(format!(
            "key {} expires on {}. From then on, `lock` and `build` refuse this copy of it. Before \
             that, get the renewed key from the vendor and name it under `keys`, in place of the \
             old copy or beside it. Bundles that were built before can still be installed",
            self.words,
            day(end)
        ))
    }
}
