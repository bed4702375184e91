//! What the rpm on a target's nodes can check. That of el7 (4.11) is too old for much
//! that vendors use today: it knows no subkeys, no key algorithms except RSA and DSA,
//! and only the older kinds of signatures in a package. From el9 on, the system's
//! policy forbids rpm to accept SHA-1 (redhat.com, "SHA-1 package signatures distrusted
//! in RHEL 9").

use std::time::SystemTime;

use pgp::crypto::public_key::PublicKeyAlgorithm;

use super::key::Keyring;
use super::signatory::Signatory;

/// The rpm of an OS family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeRpm {
    /// 4.11.
    El7,
    /// 4.14 and newer, of el8 and of families that we do not know.
    Newer,
    /// 4.16 and newer, of el9 and el10.
    WithoutSha1,
}

/// What to do about packages whose signatures the nodes' rpm cannot check.
pub const ADVICE: &str = "if the nodes' rpm refuses a signature, ask the vendor for packages that it accepts (el7: signed with an RSA primary key; el9 and newer: with SHA-256 or better), or sign them again with your own key (`rpmsign --addsign`) and put them into your own repository, or set `gpgcheck: {off: REASON}` for the repository";

impl NodeRpm {
    /// The rpm of the spec's `family`.
    pub fn of_family(family: &str) -> Self {
        match family {
            "el7" => Self::El7,
            "el9" | "el10" => Self::WithoutSha1,
            _ => Self::Newer,
        }
    }

    /// Why it refuses this signature. `None` if it does not.
    pub(super) fn objection(self, by: &Signatory) -> Option<&'static str> {
        let refuses = "the rpm of el9 and newer does not accept SHA-1";
        (self == Self::WithoutSha1 && by.is_sha1())
            .then_some(refuses)
            .or_else(|| self.objection_to_key(by.is_subkey, by.algorithm))
    }

    /// Why it cannot check signatures of such a key. `None` if it can.
    fn objection_to_key(
        self,
        is_subkey: bool,
        algorithm: PublicKeyAlgorithm,
    ) -> Option<&'static str> {
        use PublicKeyAlgorithm::{DSA, RSA, RSASign};
        match self {
            Self::El7 if is_subkey => Some("el7's rpm (4.11) knows no subkeys"),
            Self::El7 if !matches!(algorithm, RSA | RSASign | DSA) => {
                Some("el7's rpm (4.11) knows no keys but those of RSA and DSA")
            }
            _ => None,
        }
    }

    /// Whether it reads signatures in `RPMTAG_OPENPGP`.
    pub(super) fn knows_several_signatures(self) -> bool {
        self != Self::El7
    }

    /// Whether it can check signatures of at least one of `keys`.
    pub fn can_check(self, keys: &Keyring, now: SystemTime) -> bool {
        self != Self::El7
            || keys
                .signing(now)
                .any(|(is_subkey, algorithm)| self.objection_to_key(is_subkey, algorithm).is_none())
    }
}
