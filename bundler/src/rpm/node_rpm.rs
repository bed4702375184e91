//! What the rpm on a target's nodes can check. That of el7 (4.11) is too old for much
//! that vendors use today: it knows no subkeys, no key algorithms except RSA and DSA,
//! and only the older kinds of signatures in a package.

use std::time::SystemTime;

use pgp::crypto::public_key::PublicKeyAlgorithm;

use super::key::Keyring;

/// The rpm of an OS family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeRpm {
    /// 4.11.
    El7,
    /// 4.14 and newer.
    Newer,
}

/// What to do about packages whose signatures el7's rpm cannot check.
pub const EL7_ADVICE: &str = "if el7's rpm refuses a signature, ask the vendor for packages that are signed with an RSA primary key, or sign them again with your own key (`rpmsign --addsign`) and put them into your own repository, or set `gpgcheck: {off: REASON}` for the repository";

impl NodeRpm {
    /// The rpm of the spec's `family`.
    pub fn of_family(family: &str) -> Self {
        match family {
            "el7" => Self::El7,
            _ => Self::Newer,
        }
    }

    /// Why it cannot check signatures of this key. `None` if it can.
    pub(super) fn objection(
        self,
        is_subkey: bool,
        algorithm: PublicKeyAlgorithm,
    ) -> Option<&'static str> {
        use PublicKeyAlgorithm::{DSA, RSA, RSASign};
        match self {
            Self::El7 if is_subkey => Some("knows no subkeys"),
            Self::El7 if !matches!(algorithm, RSA | RSASign | DSA) => {
                Some("knows no keys but those of RSA and DSA")
            }
            _ => None,
        }
    }

    /// Whether it reads signatures in `RPMTAG_OPENPGP`.
    pub(super) fn knows_several_signatures(self) -> bool {
        self == Self::Newer
    }

    /// Whether it can check signatures of at least one of `keys`.
    pub fn can_check(self, keys: &Keyring, now: SystemTime) -> bool {
        self == Self::Newer
            || keys
                .signing(now)
                .any(|(is_subkey, algorithm)| self.objection(is_subkey, algorithm).is_none())
    }
}
