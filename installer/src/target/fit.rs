//! How well a target fits a system, by the fields of its os-release.

use bundle_format::lock::LockedTarget;

use crate::node::family;
use crate::node::os_release::OsRelease;

/// How well a target fits a node, from least to best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Closeness {
    /// os-release names this platform for its packages.
    Platform,
    /// The family is the system's `ID` with the first number of its version.
    Release,
    /// The family is the system's `ID` with its version.
    Version,
    /// The spec's `match` fits.
    Match,
}

/// How well the target fits, and the fields that say so. `None` if it does not fit.
/// The architecture does not count here.
pub(super) fn fit(target: &LockedTarget, release: &OsRelease) -> Option<(Closeness, String)> {
    if !target.systems.is_empty() {
        let mut systems = target.systems.iter();
        let system = systems.find(|system| system.fits(|field| release.get(field)))?;
        return Some((Closeness::Match, format!("its match {system}")));
    }
    let version = release.get("VERSION_ID").unwrap_or_default();
    let major = version.split('.').next().unwrap_or_default();
    let own = || format!("ID={} VERSION_ID={version}", release.get("ID").unwrap_or_default());
    if is_called(release, version, &target.family) {
        return Some((Closeness::Version, own()));
    }
    if is_called(release, major, &target.family) {
        return Some((Closeness::Release, own()));
    }
    let (platform, words) = family::platform(release)?;
    platform.eq_ignore_ascii_case(&target.family).then_some((Closeness::Platform, words))
}

/// Whether a family is the system's `ID` and this version: `openEuler22.03`, or
/// `openeuler-22.03`.
fn is_called(release: &OsRelease, version: &str, family: &str) -> bool {
    let [family, version] = [family, version].map(str::to_lowercase);
    let id = release.get("ID").map(str::to_lowercase);
    let rest = id.and_then(|id| family.strip_prefix(&id).map(str::to_owned));
    rest.is_some_and(|rest| rest == version || rest.strip_prefix('-') == Some(&version))
}
