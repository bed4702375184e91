//! Designated revokers: other keys to which a key has given the right to revoke it
//! (RFC 9580, 5.2.3.23). Their revocations are in the key, like its own. Only the
//! revoker's key can tell whether such a revocation is real.

use pgp::packet::{PublicKey, Signature, SignatureConfig, SubpacketData};
use pgp::types::KeyDetails;

use super::certificate::Certificate;

impl Certificate {
    /// The fingerprints of the key's revokers. As in gpg, every self-signature
    /// counts, not only the newest.
    fn revokers(&self) -> Vec<Vec<u8>> {
        let of_users = self.users.iter().flat_map(|user| &user.signatures);
        let subpackets = self
            .signatures
            .iter()
            .chain(of_users)
            .filter_map(Signature::config)
            .flat_map(SignatureConfig::hashed_subpackets);
        let named = subpackets.filter_map(|subpacket| match &subpacket.data {
            SubpacketData::RevocationKey(revoker) => Some(revoker.fingerprint.to_vec()),
            _ => None,
        });
        named.collect()
    }

    /// Adds a revocation that was on its own to the claims, if it names a revoker
    /// as its maker.
    pub(super) fn claim(&mut self, revocation: &Signature) {
        let is_known = self.claims.contains(revocation) || self.signatures.contains(revocation);
        if !is_known && self.revokers().iter().any(|revoker| is_by(revocation, revoker)) {
            self.claims.push(revocation.clone());
        }
    }

    /// Accepts the claims that one of `keys` has made, and removes those that are
    /// false.
    pub(super) fn judge_claims(&mut self, keys: &[PublicKey]) {
        if self.claims.is_empty() {
            return;
        }
        let revokers = self.revokers();
        for claim in std::mem::take(&mut self.claims) {
            let fingerprint = |key: &PublicKey| key.fingerprint().as_bytes().to_vec();
            let is_maker = |key: &&PublicKey| {
                let fingerprint = fingerprint(key);
                revokers.contains(&fingerprint) && is_by(&claim, &fingerprint)
            };
            let mut makers = keys.iter().filter(is_maker).peekable();
            let is_known = makers.peek().is_some();
            if makers.any(|key| claim.verify_key_third_party(&self.primary, key).is_ok()) {
                self.signatures.push(claim);
            } else if !is_known {
                self.claims.push(claim);
            }
        }
    }

    /// The revocations by revokers whose keys are not known.
    pub(super) fn open_claims(&self) -> impl Iterator<Item = &Signature> {
        let revokers = if self.claims.is_empty() { Vec::new() } else { self.revokers() };
        self.claims.iter().filter(move |claim| revokers.iter().any(|one| is_by(claim, one)))
    }

    /// The fingerprint of the first unknown revoker, in upper-case hex.
    pub(super) fn missing_revoker(&self) -> Option<String> {
        let claim = self.open_claims().next()?;
        let revoker = self.revokers().into_iter().find(|revoker| is_by(claim, revoker));
        revoker.map(hex::encode_upper)
    }
}

/// Whether a signature names the key with this fingerprint as its maker.
fn is_by(signature: &Signature, fingerprint: &[u8]) -> bool {
    let fingerprints = signature.issuer_fingerprint();
    if !fingerprints.is_empty() {
        return fingerprints.iter().any(|found| found.as_bytes() == fingerprint);
    }
    signature.issuer_key_id().iter().any(|id| fingerprint.ends_with(id.as_ref()))
}
