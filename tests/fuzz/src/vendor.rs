//! Keys of vendors who sign packages. They are the same in each run, so that an input that
//! was written to a file is still signed by them.

use std::sync::LazyLock;

use pgp::composed::{
    ArmorOptions, EncryptionCaps, KeyType, SecretKeyParamsBuilder, SignedPublicKey,
    SignedSecretKey, SubkeyParamsBuilder,
};
use pgp::types::{SigningKey, Timestamp};
use rand::{CryptoRng, RngCore};

/// When the keys were made: in 2025.
pub(crate) const MADE: u32 = 1_740_000_000;

/// The vendors' keys.
pub(crate) static VENDORS: LazyLock<Vendors> = LazyLock::new(Vendors::new);

/// Who signs. All but the stranger are trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signer {
    Rsa,
    Edwards,
    Subkey,
    Stranger,
}

pub(crate) struct Vendors {
    rsa: SignedSecretKey,
    edwards: SignedSecretKey,
    stranger: SignedSecretKey,
}

impl Vendors {
    fn new() -> Self {
        Self {
            rsa: key(1, KeyType::Rsa(2048)),
            edwards: key(2, KeyType::Ed25519Legacy),
            stranger: key(3, KeyType::Ed25519Legacy),
        }
    }

    /// The private key of a signer.
    pub(crate) fn key(&self, signer: Signer) -> &dyn SigningKey {
        match signer {
            Signer::Rsa => &self.rsa.primary_key,
            Signer::Edwards => &self.edwards.primary_key,
            Signer::Subkey => &self.edwards.secret_subkeys[0].key,
            Signer::Stranger => &self.stranger.primary_key,
        }
    }

    /// The files of the keys that are trusted.
    pub(crate) fn public(&self) -> [Vec<u8>; 2] {
        [&self.rsa, &self.edwards].map(|key| {
            let public = SignedPublicKey::from(key.clone());
            public.to_armored_bytes(ArmorOptions::default()).expect("it is a key")
        })
    }
}

fn key(numbers: u64, kind: KeyType) -> SignedSecretKey {
    let made = Timestamp::from_secs(MADE);
    let mut parameters = SecretKeyParamsBuilder::default();
    parameters
        .key_type(kind.clone())
        .created_at(made)
        .can_certify(true)
        .can_sign(true)
        .can_encrypt(EncryptionCaps::None)
        .primary_user_id(format!("Vendor {numbers} <vendor@keys.invalid>"));
    if kind == KeyType::Ed25519Legacy {
        let mut subkey = SubkeyParamsBuilder::default();
        let subkey = subkey.key_type(kind).created_at(made).can_sign(true).build();
        parameters.subkey(subkey.expect("they are parameters"));
    }
    let parameters = parameters.build().expect("they are parameters");
    parameters.generate(Numbers(fastrand::Rng::with_seed(numbers))).expect("it is a key")
}

/// Numbers that everybody knows, for keys that protect nothing.
struct Numbers(fastrand::Rng);

impl RngCore for Numbers {
    fn next_u32(&mut self) -> u32 {
        self.0.u32(..)
    }

    fn next_u64(&mut self) -> u64 {
        self.0.u64(..)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand::Error> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl CryptoRng for Numbers {}
