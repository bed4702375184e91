//! Keys that others may revoke, and did: what we say of them is what gpg says,
//! but where gpg only warns.

use std::fs;

use bundler::rpm::key::{ExpiredKeys, Keyring, SignatureError};
use pgp::composed::{Deserializable, SignedPublicKey, SignedSecretKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{
    PacketTrait, Signature, SignatureConfig, SignatureType, Subpacket, SubpacketData,
};
use pgp::types::{KeyDetails, Password, Timestamp};

use crate::support::gpg::{Gpg, is_missing};
use crate::support::key_life::Deed::{self, Key, Publish, Revoke, Sign, Subkey};
use crate::support::key_life::Verdict::{self, Good, Revoked};
use crate::support::key_life::{DOCUMENT, Owner, by_gpg, keyring, seconds, time};

const TODAY: u64 = 100;

/// The owner of a key, and somebody whom it names as its revoker.
struct Two {
    owner: Owner,
    revoker: Owner,
    revoker_gpg: Gpg,
    /// Before the revoker was named, and after.
    before: Vec<u8>,
    named: Vec<u8>,
    /// The revoker's own key.
    key: Vec<u8>,
    /// What the revoker published: the key's head with the revocation.
    revocation: Vec<u8>,
    _folders: [tempfile::TempDir; 2],
}

impl Two {
    fn new(life: &[(u64, Deed)]) -> Self {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [mut owner, mut revoker] = folders
            .each_ref()
            .map(|folder| Owner { folder: folder.path().to_owned(), fingerprint: String::new() });
        let (gpg, revoker_gpg) = (Gpg::new(), Gpg::new());
        fs::write(owner.path("document"), DOCUMENT).unwrap();
        for (day, deed) in life {
            owner.act(&gpg, seconds(*day), deed);
        }
        owner.act(&gpg, seconds(2), &Publish("before"));
        for deed in [Key("sign", "50d"), Publish("key")] {
            revoker.act(&revoker_gpg, seconds(0), &deed);
        }
        let read = |owner: &Owner, name: &str| fs::read(owner.path(name)).unwrap();
        gpg.ok(seconds(3), &["--import", revoker.path("key").to_str().unwrap()]);
        let name = format!("addrevoker\n{}\ny\nsave\n", revoker.fingerprint);
        gpg.edit(seconds(3), &owner.fingerprint, &name);
        owner.act(&gpg, seconds(3), &Publish("named"));
        revoker_gpg.ok(seconds(4), &["--import", owner.path("named").to_str().unwrap()]);
        let path = revoker.path("revocation");
        let arguments =
            ["--armor", "--output", path.to_str().unwrap(), "--desig-revoke", &owner.fingerprint];
        revoker_gpg.answer(seconds(4), &arguments, "y\n0\n\ny\n");
        Self {
            before: read(&owner, "before"),
            named: read(&owner, "named"),
            key: read(&revoker, "key"),
            revocation: read(&revoker, "revocation"),
            owner,
            revoker,
            revoker_gpg,
            _folders: folders,
        }
    }

    fn ours(&self, keyring: &Keyring) -> Result<String, SignatureError> {
        let signature = fs::read(self.owner.path("sig")).unwrap();
        // What the spec allows of expired keys is nothing else.
        keyring
            .verify(DOCUMENT, &signature, ExpiredKeys::Allow, time(TODAY))
            .map(|by| by.fingerprint)
    }

    fn by_gpg(&self, files: &[Vec<u8>]) -> Verdict {
        by_gpg(files, &self.owner.path("sig"), TODAY)
    }

    /// The revocation without the key that it is of.
    fn revocation_alone(&self) -> Vec<u8> {
        let key = SignedPublicKey::from_armor_single(&self.revocation[..]).unwrap().0;
        let [revocation] = &key.details.revocation_signatures[..] else { panic!() };
        packet(revocation)
    }
}

fn packet(signature: &Signature) -> Vec<u8> {
    let mut bytes = Vec::new();
    signature.to_writer_with_header(&mut bytes).unwrap();
    bytes
}

/// In each order.
fn orders(files: &[&[u8]]) -> Vec<Vec<Vec<u8>>> {
    let Some((first, rest)) = files.split_first() else { return vec![Vec::new()] };
    let insert = |order: Vec<Vec<u8>>| {
        (0..=order.len()).map(move |place| {
            let mut order = order.clone();
            order.insert(place, first.to_vec());
            order
        })
    };
    orders(rest).into_iter().flat_map(insert).collect()
}

#[test]
fn a_revocation_by_a_named_revoker_counts() {
    if is_missing() {
        return;
    }
    let lives: [&[(u64, Deed)]; 2] = [
        &[(0, Key("sign", "never")), (1, Sign(&[]))],
        &[(0, Key("cert", "never")), (0, Subkey("sign", "never")), (1, Sign(&[]))],
    ];
    for two in lives.map(Two::new) {
        let (before, named) = (&two.before[..], &two.named[..]);
        let (key, revocation) = (&two.key[..], &two.revocation[..]);
        // By gpg too: the revoker's key is past its end by now.
        for (files, expected) in [
            (&[before][..], Good),
            (&[named], Good),
            (&[named, key], Good),
            (&[before, revocation, key], Revoked),
            (&[named, revocation, key], Revoked),
        ] {
            for files in orders(files) {
                assert_eq!(two.by_gpg(&files), expected);
                let result = two.ours(&keyring(&files));
                let is_revoked = matches!(result, Err(SignatureError::Revoked(_)));
                assert_eq!((result.is_ok(), is_revoked), (expected == Good, expected == Revoked));
            }
        }

        // gpg finds it good, with a warning that nobody reads.
        for files in orders(&[named, revocation]) {
            assert_eq!(two.by_gpg(&files), Good);
            let error = two.ours(&keyring(&files)).unwrap_err();
            let SignatureError::RevokerMissing { revoker, .. } = &error else { panic!("{error}") };
            assert_eq!(*revoker, two.revoker.fingerprint);
            assert!(error.to_string().contains("name that key under `keys`"), "{error}");
        }

        // gpg imports no revocation that stands alone and is another's.
        let alone = two.revocation_alone();
        for files in orders(&[named, &alone, key]) {
            let result = two.ours(&keyring(&files));
            assert!(matches!(result, Err(SignatureError::Revoked(_))), "{result:?}");
        }
        let result = two.ours(&keyring(&[two.named.clone(), alone.clone()]));
        assert!(matches!(result, Err(SignatureError::RevokerMissing { .. })), "{result:?}");
        // The owner has allowed nobody to, in this copy.
        two.ours(&keyring(&[two.before.clone(), alone, two.key.clone()])).unwrap();

        // Another repository of the target may have the revoker's key.
        let mut own = keyring(&[two.named.clone(), two.revocation.clone()]);
        own.learn(&keyring(std::slice::from_ref(&two.key)));
        assert!(matches!(two.ours(&own), Err(SignatureError::Revoked(_))));
        assert_eq!(own.fingerprints().len(), 1);

        // What a node is given says it as well, with the key or without.
        for known in [own, keyring(&[two.named.clone(), two.revocation.clone()])] {
            let carried = known.united(&two.named).unwrap().unwrap();
            assert_eq!(two.by_gpg(&[carried.clone(), two.key.clone()]), Revoked);
            assert_eq!(known.united(&carried).unwrap(), None);
            let result = two.ours(&keyring(&[carried, two.key.clone()]));
            assert!(matches!(result, Err(SignatureError::Revoked(_))), "{result:?}");
        }
    }
}

#[test]
fn a_revoker_that_is_revoked_itself_could_do_it_before() {
    if is_missing() {
        return;
    }
    let mut two = Two::new(&[(0, Key("sign", "never")), (1, Sign(&[]))]);
    for deed in [Revoke, Publish("revoked")] {
        two.revoker.act(&two.revoker_gpg, seconds(50), &deed);
    }
    let revoker = fs::read(two.revoker.path("revoked")).unwrap();
    let files = [two.named.clone(), two.revocation.clone(), revoker];
    assert_eq!(two.by_gpg(&files), Revoked);
    let result = two.ours(&keyring(&files));
    assert!(matches!(result, Err(SignatureError::Revoked(_))), "{result:?}");
}

/// Whoever is no revoker can say to be one, and nothing comes of it.
#[test]
fn a_forged_revocation_counts_for_nothing() {
    if is_missing() {
        return;
    }
    let two = Two::new(&[(0, Key("sign", "never")), (1, Sign(&[]))]);
    let stranger = Gpg::new();
    let user = "Stranger <stranger@keys.invalid>";
    stranger.ok(seconds(0), &["--quick-gen-key", user, "ed25519", "sign", "never"]);
    let stranger_key = stranger.ok(seconds(0), &["--armor", "--export"]).into_bytes();
    let text = stranger.ok(seconds(0), &["--armor", "--export-secret-keys"]);
    let secret = SignedSecretKey::from_string(&text).unwrap().0;
    let owner = SignedPublicKey::from_armor_single(&two.named[..]).unwrap().0;
    let revoker = SignedPublicKey::from_armor_single(&two.key[..]).unwrap().0;
    for name in [&secret.primary_key.public_key().clone(), &revoker.primary_key] {
        let mut configuration = SignatureConfig::v4(
            SignatureType::KeyRevocation,
            secret.primary_key.algorithm(),
            HashAlgorithm::Sha256,
        );
        let made = Timestamp::from_secs(seconds(5).try_into().unwrap());
        configuration.hashed_subpackets = vec![
            Subpacket::regular(SubpacketData::SignatureCreationTime(made)).unwrap(),
            Subpacket::regular(SubpacketData::IssuerFingerprint(name.fingerprint())).unwrap(),
        ];
        configuration.unhashed_subpackets =
            vec![Subpacket::regular(SubpacketData::IssuerKeyId(name.legacy_key_id())).unwrap()];
        let none = Password::empty();
        let forged =
            configuration.sign_key(&secret.primary_key, &none, &owner.primary_key).unwrap();
        let forged = packet(&forged);
        for files in orders(&[&two.named, &two.key, &stranger_key, &forged]) {
            two.ours(&keyring(&files)).unwrap();
        }
        // Where the key itself has it, gpg looks at it too.
        let mut bytes = Vec::new();
        pgp::ser::Serialize::to_writer(&owner, &mut bytes).unwrap();
        bytes.extend(forged);
        let files = [bytes, two.key.clone(), stranger_key.clone()];
        assert_eq!(two.by_gpg(&files), Good);
        two.ours(&keyring(&files)).unwrap();
    }
}
