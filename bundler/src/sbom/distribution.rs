//! Which distribution packages belong to, in the words of package URLs.

use serde::{Deserialize, Serialize};

/// A distribution, by os-release(5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Distribution {
    /// `ID`: `debian`, `alpine`, `rhel`.
    pub(super) id: String,
    /// `VERSION_ID`; empty if there is none, as in Debian's testing.
    pub(super) version: String,
}

/// The largest os-release that is read, in bytes.
pub(super) const MAX_OS_RELEASE: u64 = 64 << 10;

impl Distribution {
    /// Reads os-release.
    pub(super) fn parse(text: &str) -> Self {
        let field = |name: &str| {
            let values = text.lines().filter_map(|line| line.trim().split_once('='));
            let mut own = values.filter(|(key, _)| *key == name);
            let value = own.next_back().map_or("", |(_, value)| value.trim());
            value.trim_matches(['"', '\'']).to_owned()
        };
        Self { id: field("ID").to_lowercase(), version: field("VERSION_ID") }
    }

    /// The qualifier `distro`.
    pub(super) fn qualifier(&self) -> String {
        match (self.id.as_str(), self.version.as_str()) {
            ("", _) => String::new(),
            (id, "") => id.to_owned(),
            (id, version) => format!("{id}-{version}"),
        }
    }
}

/// A vendor of RPMs that is a distribution.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Vendor {
    /// The namespace of its package URLs.
    pub(super) namespace: &'static str,
    /// Its `ID`, if its packages are for a release of EL; Fedora's are for its own releases,
    /// or for any vendor's EL (EPEL).
    pub(super) id: Option<&'static str>,
}

/// The vendor by the words in which a package's header names it. `None` for one that is no
/// distribution, such as Docker.
pub(super) fn vendor(words: &str) -> Option<Vendor> {
    const VENDORS: [(&str, &str, Option<&str>); 9] = [
        ("centos", "centos", Some("centos")),
        ("red hat", "redhat", Some("rhel")),
        ("fedora", "fedora", None),
        ("rocky", "rocky", Some("rocky")),
        ("almalinux", "almalinux", Some("almalinux")),
        ("oracle", "oracle", Some("ol")),
        ("opensuse", "opensuse", None),
        ("suse", "suse", None),
        ("openeuler", "openeuler", None),
    ];
    let words = words.to_lowercase();
    let (_, namespace, id) = VENDORS.into_iter().find(|(own, ..)| words.contains(own))?;
    Some(Vendor { namespace, id })
}

/// The namespace of packages in an image, by its `ID`.
pub(super) fn namespace(id: &str) -> &str {
    match id {
        "rhel" => "redhat",
        "ol" => "oracle",
        id => id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn os_release_is_read_as_the_shell_would() {
        let read = |text| Distribution::parse(text).qualifier();
        assert_eq!(read("NAME=x\nID=debian\nVERSION_ID=\"12\"\n"), "debian-12");
        assert_eq!(read("ID='Alpine'\nVERSION_ID=3.19.1"), "alpine-3.19.1");
        assert_eq!(read("ID=debian\n"), "debian");
        assert_eq!(read("VERSION_ID=1\n\0\u{ff}"), "");
    }

    #[test]
    fn a_vendor_is_known_by_its_words() {
        let of = |words| vendor(words).map(|own| (own.namespace, own.id));
        assert_eq!(of("Rocky Enterprise Software Foundation"), Some(("rocky", Some("rocky"))));
        assert_eq!(of("Red Hat, Inc."), Some(("redhat", Some("rhel"))));
        assert_eq!(of("Fedora Project"), Some(("fedora", None)));
        assert_eq!(of("Docker <support@docker.com>"), None);
    }
}
