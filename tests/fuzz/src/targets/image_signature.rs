use bundle_format::Digest;
use bundle_format::lock::LockedSignature;
use bundler::image::found::Found;
use bundler::image::signer::{Signer, check};
use bundler::image::sigstore_bundle;

use super::outcome;

/// The image of the seed `identity.json`.
const SIGNED: &str = "sha256:f34016d3a494f9544a16137c9bba49d8756c574a0a1baf96257903409ef82f77";

/// A signature over an image, as a lock has it, and as a registry has it, or a bundle of
/// Sigstore's.
pub(super) fn image_signature(bytes: &[u8]) -> String {
    let own: LockedSignature = match serde_json::from_slice(bytes) {
        Ok(own) => own,
        Err(error) => {
            drop(sigstore_bundle::read(bytes).map(|found| {
                let (identity, issuer) = ("a@b.example".to_owned(), "https://c.example".to_owned());
                Signer::Identity { identity, issuer, root: None }.accept(found, Digest::of(b""))
            }));
            return outcome::<(), _>(Err(error));
        }
    };
    let image = Digest::of(b"");
    if let LockedSignature::Identity(own) = &own {
        let pem = format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            own.certificate
        );
        let payload = own.payload.clone().into_bytes();
        let entry = Some(&*own.logged.body);
        let found = Found::annotated(payload, &own.signature, Some(&pem), entry);
        let (identity, issuer) = (own.identity.clone(), own.issuer.clone());
        drop(Signer::Identity { identity, issuer, root: None }.accept(found, image));
    }
    // Nobody signed the empty image.
    assert!(check(&own, image).is_err());
    outcome(SIGNED.parse().map_err(|_| String::new()).and_then(|image| {
        check(&own, image).map_err(|why| why.to_string())
    }))
}
