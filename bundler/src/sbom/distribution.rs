//! Which distribution packages belong to, in the words of package URLs.

/// A distribution, by os-release(5).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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

/// The namespace of an RPM's package URL, by the words in which its header names its vendor.
/// Empty for a vendor that is no distribution, such as Docker.
pub(super) fn rpm_namespace(vendor: &str) -> &'static str {
    const VENDORS: [(&str, &str); 9] = [
        ("centos", "centos"),
        ("red hat", "redhat"),
        ("fedora", "fedora"),
        ("rocky", "rocky"),
        ("almalinux", "almalinux"),
        ("oracle", "oracle"),
        ("opensuse", "opensuse"),
        ("suse", "suse"),
        ("openeuler", "openeuler"),
    ];
    let vendor = vendor.to_lowercase();
    VENDORS.iter().find(|(words, _)| vendor.contains(words)).map_or("", |(_, name)| *name)
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
        assert_eq!(rpm_namespace("Rocky Enterprise Software Foundation"), "rocky");
        assert_eq!(rpm_namespace("Docker <support@docker.com>"), "");
    }
}
