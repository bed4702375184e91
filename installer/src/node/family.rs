//! What systems of one family call otherwise than those of another, for who reads what
//! to do.

use bundle_format::lock::foreign_tool;

use crate::host::Host;
use crate::node::os_release::OsRelease;

/// The platform that a system says its packages are built for, and where it says so:
/// `el9` by `PLATFORM_ID`, which el7 does not have yet. There its rebuilds are told by
/// what they are like. Others that are like RHEL have versions of their own.
pub(crate) fn platform(release: &OsRelease) -> Option<(String, String)> {
    if let Some(platform) = release.get("PLATFORM_ID") {
        let family = platform.strip_prefix("platform:")?;
        return Some((family.to_owned(), format!("PLATFORM_ID={platform}")));
    }
    let (id, version) = (release.get("ID")?, release.get("VERSION_ID")?);
    let like = release.get("ID_LIKE").unwrap_or_default();
    let major = version.split('.').next().filter(|major| matches!(*major, "6" | "7"))?;
    let mut words = std::iter::once(id).chain(like.split_ascii_whitespace());
    // Oracle's says of itself that it is like Fedora only.
    let is_rebuild = words.any(|word| matches!(word, "rhel" | "centos")) || id == "ol";
    is_rebuild.then(|| (format!("el{major}"), format!("ID={id} VERSION_ID={version}")))
}

/// What a system installs packages by, if that is neither dnf nor yum.
pub(crate) fn foreign(host: &Host, release: &OsRelease) -> Option<&'static str> {
    let like = release.get("ID_LIKE").unwrap_or_default();
    let mut words = release.get("ID").into_iter().chain(like.split_ascii_whitespace());
    let has_dnf = || host.exists("/usr/bin/dnf") || host.exists("/usr/bin/yum");
    words.find_map(foreign_tool).filter(|tool| *tool != "tdnf" || !has_dnf())
}

/// The program that puts packages in and removes them: el7 has no dnf.
pub(crate) fn packager(host: &Host) -> &'static str {
    if host.exists("/usr/bin/dnf") { "dnf" } else { "yum" }
}
