//! Which systems a target is for, by the fields of os-release(5).

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::pattern::fits;

/// Fields of os-release(5) with their values. A node fits if all fields fit. In a
/// value, `*` stands for any text, and upper or lower case does not count:
/// os-release(5) wants `ID` in lower case, and openEuler and Deepin have capitals.
/// `ID_LIKE` is a list, and the list or one of its words must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct System(BTreeMap<String, String>);

impl System {
    /// Whether a node fits. `field` gives the values of its os-release.
    pub fn fits<'a>(&self, field: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.0.iter().all(|(name, wanted)| {
            let fits = |own: &str| fits(&wanted.to_lowercase(), &own.to_lowercase());
            field(name).is_some_and(|own| {
                let is_list = name == "ID_LIKE";
                fits(own) || is_list && own.split_ascii_whitespace().any(fits)
            })
        })
    }

    /// The fields with their values.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether it has no fields, and so would fit any system.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<BTreeMap<String, String>> for System {
    fn from(fields: BTreeMap<String, String>) -> Self {
        Self(fields)
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> =
            self.fields().map(|(name, value)| format!("{name}={value}")).collect();
        f.write_str(&words.join(" "))
    }
}

/// What a system has instead of dnf and yum, by its `ID`. Deepin's has a capital.
pub fn foreign_tool(id: &str) -> Option<&'static str> {
    Some(match id.to_ascii_lowercase().as_str() {
        "debian" | "ubuntu" | "deepin" | "astra" | "altlinux" => "apt",
        "suse" | "opensuse" | "sles" | "sles_sap" | "sled" | "sle-micro" | "sl-micro" => "zypper",
        "opensuse-leap" | "opensuse-tumbleweed" | "opensuse-microos" => "zypper",
        "photon" | "mariner" | "azurelinux" => "tdnf",
        "arch" | "manjaro" => "pacman",
        "alpine" => "apk",
        "gentoo" => "emerge",
        "flatcar" | "cos" | "talos" | "bottlerocket" => "images of the whole system",
        _ => return None,
    })
}

/// Whether a text is the name of a field.
pub fn is_field(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        && name.len() <= 64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_fields_must_fit() {
        let node = |name: &str| match name {
            "ID" => Some("openEuler"),
            "VERSION_ID" => Some("22.03"),
            "ID_LIKE" => Some("rhel fedora"),
            _ => None,
        };
        let of = |fields: &[(&str, &str)]| {
            let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            System(fields.iter().map(own).collect()).fits(node)
        };
        assert!(of(&[("ID", "openEuler")]));
        assert!(of(&[("ID", "openeuler"), ("VERSION_ID", "22.*")]));
        for list in ["fedora", "RHEL", "rhel fedora", "*"] {
            assert!(of(&[("ID_LIKE", list)]), "{list}");
        }
        for wrong in [
            ("ID", "euler"),
            ("VERSION_ID", "22"),
            ("VERSION_ID", "24.*"),
            ("ID_LIKE", "fedora rhel"),
            ("VARIANT_ID", "*"),
        ] {
            assert!(!of(&[("ID", "openEuler"), wrong]), "{wrong:?}");
        }
    }

    #[test]
    fn fields_have_names_in_capitals() {
        assert!(["ID", "VERSION_ID", "REDHAT_BUGZILLA_PRODUCT"].iter().all(|name| is_field(name)));
        assert!(["id", "", "_ID", "ID LIKE", "ID-LIKE"].iter().all(|name| !is_field(name)));
    }
}
