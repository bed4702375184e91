//! Keys in all their states, made by gpg; what our policy says of their
//! signatures is what gpg says of them.

use std::fs;

use bundler::rpm::key::ExpiredKeys;
use pgp::composed::{Deserializable, SignedPublicKey, SignedPublicSubKey, SignedSecretKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{
    KeyFlags, PacketTrait, Signature, SignatureConfig, SignatureType, Subpacket, SubpacketData,
};
use pgp::ser::Serialize;
use pgp::types::{KeyDetails, Password, SigningKey, Timestamp};

use crate::support::gpg::{Gpg, is_missing};
use crate::support::key_life::Deed::{self, *};
use crate::support::key_life::Verdict::{self, Expired, Good, Over, Refused, Revoked};
use crate::support::key_life::{
    DOCUMENT, Owner, assert_ours, assert_ours_of, by_gpg, keyring, seconds, time,
};

/// A key's life, and the copies of it that are given on a day.
struct Case {
    name: &'static str,
    life: &'static [(u64, Deed)],
    /// Sets of copies, each of them given in both orders.
    given: &'static [(&'static [&'static str], Verdict)],
    today: u64,
}

const CASES: &[Case] = &[
    Case {
        name: "a key that holds",
        life: &[(0, Key("sign", "3y")), (1, Sign(&[])), (1, Publish("a"))],
        given: &[(&["a"], Good), (&["a", "a"], Good)],
        today: 100,
    },
    Case {
        name: "renewed in time, and the signature is older than that",
        life: &[
            (0, Key("sign", "30d")),
            (1, Sign(&[])),
            (1, Publish("old")),
            (20, Renew("400d")),
            (20, Publish("new")),
        ],
        given: &[(&["old"], Expired), (&["new"], Good), (&["old", "new"], Good)],
        today: 100,
    },
    Case {
        name: "renewed twice, the last time for less",
        life: &[
            (0, Key("sign", "30d")),
            (1, Publish("first")),
            (10, Renew("400d")),
            (10, Publish("second")),
            (20, Renew("30d")),
            (20, Sign(&[])),
            (20, Publish("third")),
        ],
        given: &[(&["first", "second"], Good), (&["second", "third"], Expired)],
        today: 100,
    },
    Case {
        name: "revoked later",
        life: &[
            (0, Key("sign", "never")),
            (1, Sign(&[])),
            (1, Publish("before")),
            (1, PublishRevocation("revocation")),
            (50, Revoke),
            (50, Publish("after")),
        ],
        given: &[
            (&["before"], Good),
            (&["after"], Revoked),
            (&["before", "after"], Revoked),
            (&["before", "revocation"], Revoked),
        ],
        today: 100,
    },
    Case {
        name: "revoked in one copy and renewed in another",
        life: &[
            (0, Key("sign", "30d")),
            (1, Sign(&[])),
            (1, PublishRevocation("revocation")),
            (60, Renew("400d")),
            (60, Publish("renewed")),
        ],
        given: &[(&["renewed"], Good), (&["renewed", "revocation"], Revoked)],
        today: 100,
    },
    Case {
        name: "a subkey that has expired, and its renewal",
        life: &[
            (0, Key("cert", "never")),
            (0, Subkey("sign", "30d")),
            (1, Sign(&[])),
            (1, Publish("old")),
            (60, RenewSubkey("400d")),
            (60, Publish("new")),
        ],
        given: &[(&["old"], Expired), (&["new"], Good), (&["old", "new"], Good)],
        today: 100,
    },
    Case {
        name: "a subkey that outlives its primary key",
        life: &[
            (0, Key("cert", "30d")),
            (0, Subkey("sign", "never")),
            (1, Sign(&[])),
            (1, Publish("old")),
            (60, Renew("400d")),
            (60, Publish("new")),
        ],
        given: &[(&["old"], Expired), (&["old", "new"], Good)],
        today: 100,
    },
    Case {
        name: "a subkey that is revoked in one copy and renewed in another",
        life: &[
            (0, Key("cert", "never")),
            (0, Subkey("sign", "200d")),
            (1, Sign(&[])),
            (1, Publish("before")),
            (20, RenewSubkey("400d")),
            (20, Publish("renewed")),
            (40, RevokeSubkey),
            (40, Publish("after")),
        ],
        given: &[
            (&["before"], Good),
            (&["before", "after"], Revoked),
            (&["renewed", "after"], Revoked),
        ],
        today: 100,
    },
    Case {
        name: "a subkey that only one copy has",
        life: &[
            (0, Key("cert", "30d")),
            (1, Publish("without")),
            (20, Subkey("sign", "never")),
            (20, Sign(&[])),
            (20, Publish("with")),
            (25, Renew("400d")),
            (25, Publish("renewed")),
        ],
        given: &[(&["without"], Refused), (&["with"], Expired), (&["without", "renewed"], Good)],
        today: 100,
    },
    Case {
        name: "the primary key of one whose subkey has expired",
        life: &[
            (0, Key("sign", "never")),
            (1, Sign(&[])),
            (2, Subkey("encr", "5d")),
            (2, Publish("a")),
        ],
        given: &[(&["a"], Good)],
        today: 100,
    },
    Case {
        name: "the subkey of a revoked key",
        life: &[
            (0, Key("cert", "never")),
            (0, Subkey("sign", "never")),
            (1, Sign(&[])),
            (1, Publish("before")),
            (50, Revoke),
            (50, Publish("after")),
        ],
        given: &[(&["before"], Good), (&["before", "after"], Revoked)],
        today: 100,
    },
    Case {
        name: "two user ids of which one is withdrawn",
        life: &[
            (0, Key("sign", "30d")),
            (1, AddUser("Other <other@keys.invalid>")),
            (1, Sign(&[])),
            (1, Publish("old")),
            (20, Renew("400d")),
            (21, RevokeUser("Other <other@keys.invalid>")),
            (21, Publish("new")),
        ],
        given: &[(&["old"], Expired), (&["old", "new"], Good)],
        today: 100,
    },
    Case {
        name: "the only user id is withdrawn",
        life: &[
            (0, Key("sign", "30d")),
            (1, AddUser("Other <other@keys.invalid>")),
            (2, RevokeUser("Owner <owner@keys.invalid>")),
            (2, Sign(&[])),
            (2, Publish("a")),
        ],
        given: &[(&["a"], Expired)],
        today: 100,
    },
    Case {
        name: "a signature that was to hold for a week",
        life: &[
            (0, Key("sign", "never")),
            (1, Sign(&["--default-sig-expire", "7d"])),
            (1, Publish("a")),
        ],
        given: &[(&["a"], Over)],
        today: 100,
    },
    Case {
        name: "a signature that is to hold for a year",
        life: &[
            (0, Key("sign", "never")),
            (1, Sign(&["--default-sig-expire", "1y"])),
            (1, Publish("a")),
        ],
        given: &[(&["a"], Good)],
        today: 100,
    },
    Case {
        name: "a signature from before the key was made",
        life: &[
            (10, Key("sign", "never")),
            (5, Sign(&["--ignore-time-conflict"])),
            (10, Publish("a")),
        ],
        given: &[(&["a"], Refused)],
        today: 100,
    },
    Case {
        name: "a key that is made tomorrow",
        life: &[(101, Key("sign", "never")), (101, Sign(&[])), (101, Publish("a"))],
        given: &[(&["a"], Refused)],
        today: 100,
    },
    Case {
        name: "a signature from tomorrow, by a clock that runs ahead",
        life: &[(0, Key("sign", "never")), (101, Sign(&[])), (1, Publish("a"))],
        given: &[(&["a"], Good)],
        today: 100,
    },
    Case {
        name: "SHA-1, as old repositories have it",
        life: &[
            (0, OldKey("sign", "never")),
            (1, Sign(&["--digest-algo", "SHA1"])),
            (1, Publish("a")),
        ],
        given: &[(&["a"], Good)],
        today: 100,
    },
    Case {
        name: "MD5",
        life: &[
            (0, OldKey("sign", "never")),
            (1, Sign(&["--digest-algo", "MD5", "--allow-weak-digest-algos"])),
            (1, Publish("a")),
        ],
        given: &[(&["a"], Refused)],
        today: 100,
    },
    Case {
        name: "a text signature",
        life: &[(0, Key("sign", "never")), (1, Sign(&["--textmode"])), (1, Publish("a"))],
        given: &[(&["a"], Good)],
        today: 100,
    },
];

#[test]
fn every_state_of_a_key_is_what_gpg_says() {
    if is_missing() {
        return;
    }
    for case in CASES {
        let folder = tempfile::tempdir().unwrap();
        let owner = Owner::live(folder.path(), case.life);
        for (copies, expected) in case.given {
            let mut order = copies.to_vec();
            for _ in 0..copies.len().min(2) {
                let files: Vec<Vec<u8>> =
                    order.iter().map(|name| fs::read(owner.path(name)).unwrap()).collect();
                let words = format!("{}: {order:?}", case.name);
                assert_eq!(
                    by_gpg(&files, &owner.path("sig"), case.today),
                    *expected,
                    "gpg, {words}"
                );
                let keyring = keyring(&files);
                assert_ours(&keyring, &owner, case.today, *expected, &words);
                assert_ours(
                    &self::keyring(&[files.concat()]),
                    &owner,
                    case.today,
                    *expected,
                    &words,
                );
                // One copy is what a node's rpm has of each key.
                let shipped: Vec<Vec<u8>> = files
                    .iter()
                    .map(|file| keyring.united(file).unwrap().unwrap_or_else(|| file.clone()))
                    .collect();
                if files.len() == 1 {
                    assert_eq!(shipped, files, "{words}");
                }
                for file in &shipped {
                    let one = self::keyring(std::slice::from_ref(file));
                    assert_eq!(one.fingerprints(), keyring.fingerprints(), "{words}");
                    if *expected != Revoked {
                        assert_ours(&one, &owner, case.today, *expected, &words);
                        let verdict =
                            by_gpg(std::slice::from_ref(file), &owner.path("sig"), case.today);
                        assert_eq!(verdict, *expected, "gpg on the united copy, {words}");
                    }
                }
                order.reverse();
            }
        }
    }
}

/// The secret key in a gpg, for signatures that gpg does not make.
fn secret(gpg: &Gpg) -> SignedSecretKey {
    let text = gpg.ok(seconds(0), &["--armor", "--export-secret-keys"]);
    SignedSecretKey::from_string(&text).unwrap().0
}

fn configuration(kind: SignatureType, signer: &SignedSecretKey) -> SignatureConfig {
    let mut configuration =
        SignatureConfig::v4(kind, signer.primary_key.algorithm(), HashAlgorithm::Sha256);
    let made = Timestamp::from_secs(seconds(2).try_into().unwrap());
    configuration.hashed_subpackets = vec![
        Subpacket::regular(SubpacketData::SignatureCreationTime(made)).unwrap(),
        Subpacket::regular(SubpacketData::IssuerFingerprint(signer.fingerprint())).unwrap(),
    ];
    configuration.unhashed_subpackets =
        vec![Subpacket::regular(SubpacketData::IssuerKeyId(signer.legacy_key_id())).unwrap()];
    configuration
}

fn packet(signature: &Signature) -> Vec<u8> {
    let mut bytes = Vec::new();
    signature.to_writer_with_header(&mut bytes).unwrap();
    bytes
}

/// Two strangers with a subkey each, the second of which attacks the first.
#[test]
fn what_others_sign_of_a_key_counts_for_nothing() {
    if is_missing() {
        return;
    }
    let none = Password::empty();
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [(gpg, owner), (other_gpg, other)] = folders.each_ref().map(|folder| {
        let gpg = Gpg::new();
        let mut owner = Owner { folder: folder.path().to_owned(), fingerprint: String::new() };
        fs::write(owner.path("document"), DOCUMENT).unwrap();
        for deed in [Key("cert", "never"), Subkey("sign", "never"), Sign(&[])] {
            owner.act(&gpg, seconds(1), &deed);
        }
        (gpg, owner)
    });
    let [key, other_key] = [&gpg, &other_gpg].map(|gpg| {
        let text = gpg.ok(seconds(0), &["--armor", "--export"]);
        SignedPublicKey::from_string(&text).unwrap().0
    });
    let bytes = key.to_bytes().unwrap();
    let attacker = secret(&other_gpg);

    // Revocations by the other, where the owner's would stand: of the subkey, of
    // the key.
    let subkey = &key.public_subkeys[0].key;
    let revoked_subkey = configuration(SignatureType::SubkeyRevocation, &attacker)
        .sign_subkey_binding(&attacker.primary_key, &key.primary_key, &none, subkey)
        .unwrap();
    let revoked_key = configuration(SignatureType::KeyRevocation, &attacker)
        .sign_key(&attacker.primary_key, &none, &key.primary_key)
        .unwrap();
    for forged in [&revoked_subkey, &revoked_key] {
        let file = [bytes.clone(), packet(forged)].concat();
        assert_eq!(by_gpg(std::slice::from_ref(&file), &owner.path("sig"), 100), Good);
        assert_ours(&keyring(&[file]), &owner, 100, Good, "a forged revocation");
    }

    // The owner's subkey under the other's key: whose the signature is would be
    // the other's to say.
    let mut binding = configuration(SignatureType::SubkeyBinding, &attacker);
    let mut flags = KeyFlags::default();
    flags.set_sign(true);
    binding.hashed_subpackets.push(Subpacket::regular(SubpacketData::KeyFlags(flags)).unwrap());
    let binding = binding
        .sign_subkey_binding(&attacker.primary_key, &other_key.primary_key, &none, subkey)
        .unwrap();
    let mut stolen = other_key.clone();
    stolen.public_subkeys = vec![SignedPublicSubKey::new(subkey.clone(), vec![binding])];
    let stolen = stolen.to_bytes().unwrap();
    assert_eq!(by_gpg(std::slice::from_ref(&stolen), &owner.path("sig"), 100), Refused);
    assert_ours_of(&keyring(&[stolen]), &other, &owner.path("sig"), 100, Refused, "stolen");
}

/// A signature of a kind that no program makes over files.
fn sign_as(config: SignatureConfig, secret: &SignedSecretKey, data: &[u8]) -> Signature {
    let mut hasher = config.hash_alg.new_hasher().unwrap();
    hasher.update(data);
    let length = config.hash_signature_data(&mut hasher).unwrap();
    hasher.update(&config.trailer(length).unwrap());
    let hash = hasher.finalize();
    let made = secret.primary_key.sign(&Password::empty(), config.hash_alg, &hash).unwrap();
    Signature::from_config(config, [hash[0], hash[1]], made).unwrap()
}

/// A standalone signature is over a single byte in our library: it must not pass
/// for one of a whole file that begins with that byte.
#[test]
fn a_signature_of_another_kind_vouches_for_no_file() {
    if is_missing() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let life = [(0, Key("sign", "never")), (1, Publish("a"))];
    let gpg = Gpg::new();
    let mut owner = Owner { folder: folder.path().to_owned(), fingerprint: String::new() };
    for (day, deed) in &life {
        owner.act(&gpg, seconds(*day), deed);
    }
    let secret = secret(&gpg);
    let keyring = keyring(&[fs::read(owner.path("a")).unwrap()]);
    let first = DOCUMENT.get(..1).unwrap();
    for (kind, verdict) in [
        (SignatureType::Binary, "Bad"),
        (SignatureType::Standalone, "Kind"),
        (SignatureType::Timestamp, "Kind"),
    ] {
        let signature = sign_as(configuration(kind, &secret), &secret, first);
        let result = keyring.verify(DOCUMENT, &packet(&signature), ExpiredKeys::Allow, time(100));
        let error = format!("{:?}", result.unwrap_err());
        assert!(error.starts_with(verdict), "{kind:?}: {error}");
    }
}
