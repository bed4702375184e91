//! A throwaway OpenPGP key: made at start, gone at the end.

use anyhow::Result;
use pgp::composed::{
    ArmorOptions, DetachedSignature, EncryptionCaps, KeyType, SecretKeyParamsBuilder,
    SignedPublicKey, SignedSecretKey,
};
use pgp::crypto::hash::HashAlgorithm;
use pgp::types::Password;
use rand::rngs::OsRng;

/// RSA, since rpm 4.11 (el7) takes nothing newer; 2048 bits as the real
/// Kubernetes key has, for a start without a wait.
const BITS: u32 = 2048;

/// A key pair that signs one repository.
pub(crate) struct SigningKey {
    secret: SignedSecretKey,
}

impl SigningKey {
    /// Makes a key whose owner is called `name`.
    pub(crate) fn generate(name: &str) -> Result<Self> {
        let parameters = SecretKeyParamsBuilder::default()
            .key_type(KeyType::Rsa(BITS))
            .can_certify(true)
            .can_sign(true)
            .can_encrypt(EncryptionCaps::None)
            .primary_user_id(format!("{name} (throwaway) <{name}@upstream.invalid>"))
            .build()?;
        Ok(Self { secret: parameters.generate(OsRng)? })
    }

    /// The public key, armoured, as `repomd.xml.key` and `gpgkey=` want it.
    pub(crate) fn public(&self) -> Result<String> {
        Ok(SignedPublicKey::from(self.secret.clone()).to_armored_string(ArmorOptions::default())?)
    }

    /// The signer for the `rpm` crate's builder.
    pub(crate) fn rpm_signer(&self) -> Result<rpm::signature::pgp::Signer> {
        let armoured = self.secret.to_armored_string(ArmorOptions::default())?;
        Ok(rpm::signature::pgp::Signer::from_asc(&armoured)?)
    }

    /// An armoured detached signature over `bytes`: `repomd.xml.asc`.
    pub(crate) fn sign(&self, bytes: &[u8]) -> Result<String> {
        let signature = DetachedSignature::sign_binary_data(
            OsRng,
            &self.secret.primary_key,
            &Password::empty(),
            HashAlgorithm::Sha256,
            bytes,
        )?;
        Ok(signature.to_armored_string(ArmorOptions::default())?)
    }
}
