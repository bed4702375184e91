//! The family of a system: how os-release names it, and which tools it has.

use bundle_format::lock::foreign_tool;

use crate::host::Host;
use crate::node::os_release::OsRelease;

/// The platform that a system's packages are built for, and the field that says so.
/// `PLATFORM_ID` says `el9`. el7 does not have that field yet: its rebuilds are known
/// by `ID` and `ID_LIKE`. Other relatives of RHEL have version numbers of their own.
pub(crate) fn platform(release: &OsRelease) -> Option<(String, String)> {
    if let Some(platform) = release.get("PLATFORM_ID") {
        let family = platform.strip_prefix("platform:")?;
        return Some((family.to_owned(), format!("PLATFORM_ID={platform}")));
    }
    let (id, version) = (release.get("ID")?, release.get("VERSION_ID")?);
    let like = release.get("ID_LIKE").unwrap_or_default();
    let major = version.split('.').next().filter(|major| matches!(*major, "6" | "7"))?;
    let mut words = std::iter::once(id).chain(like.split_ascii_whitespace());
    // Oracle's `ID_LIKE` says Fedora only.
    let is_rebuild = words.any(|word| matches!(word, "rhel" | "centos")) || id == "ol";
    is_rebuild.then(|| (format!("el{major}"), format!("ID={id} VERSION_ID={version}")))
}

/// The family as a spec names it: the platform, or `ID` and `VERSION_ID` together. None
/// if os-release has neither, or if a spec does not take the name (`VERSION_ID="20
/// Home"`).
pub(crate) fn name(release: &OsRelease) -> Option<String> {
    let own = || Some(format!("{}{}", release.get("ID")?, release.get("VERSION_ID")?));
    let platform = platform(release).map(|(family, _)| family);
    platform.or_else(own).filter(|name| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        let begins = name.starts_with(|first: char| first.is_ascii_alphanumeric());
        begins && name.len() <= 64 && name.bytes().all(inner)
    })
}

/// 9 of `el9`.
pub(crate) fn el(family: &str) -> Option<u32> {
    family.strip_prefix("el")?.parse().ok()
}

/// Programs that install packages on systems without dnf and yum. A system may not say
/// so by its `ID`: UOS 20 is the name of a server with dnf and of a desktop with apt.
const FOREIGN: [(&str, &str); 6] = [
    ("/usr/bin/apt-get", "apt"),
    ("/usr/bin/zypper", "zypper"),
    ("/usr/bin/tdnf", "tdnf"),
    ("/usr/bin/pacman", "pacman"),
    ("/sbin/apk", "apk"),
    ("/usr/bin/emerge", "emerge"),
];

/// The tool that installs packages, if it is neither dnf nor yum.
pub(crate) fn foreign(host: &Host, release: &OsRelease) -> Option<&'static str> {
    let like = release.get("ID_LIKE").unwrap_or_default();
    let mut words = release.get("ID").into_iter().chain(like.split_ascii_whitespace());
    let has_dnf = host.exists("/usr/bin/dnf") || host.exists("/usr/bin/yum");
    let said = words.find_map(foreign_tool).filter(|tool| *tool != "tdnf" || !has_dnf);
    let mut found = FOREIGN.iter().filter(|(path, _)| !has_dnf && host.exists(path));
    said.or_else(|| found.next().map(|(_, tool)| *tool))
}

/// The tool that installs and removes packages: el7 has no dnf.
pub(crate) fn packager(host: &Host) -> &'static str {
    if host.exists("/usr/bin/dnf") { "dnf" } else { "yum" }
}
