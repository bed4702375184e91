//! What a bundle's packages are to those of a node: to be installed, older, or
//! newer than the bundle's.

use crate::host::package_change::PackageChange;

use bundle_format::Nevra;
use bundle_format::lock::LockedRpm;

use crate::intent::Intent;
use crate::node::rpm::Installed;

/// Of these a node has several versions side by side (dnf.conf(5),
/// `installonlypkgs`).
const SIDE_BY_SIDE: [&str; 6] = [
    "kernel",
    "kernel-core",
    "kernel-devel",
    "kernel-modules",
    "kernel-modules-core",
    "kernel-modules-extra",
];

/// One that the node has in a newer version, which stays.
pub(crate) struct Newer<'a> {
    /// The bundle's.
    pub(crate) locked: &'a LockedRpm,
    /// The node's.
    pub(crate) here: Nevra,
}

/// A bundle's packages beside a node's.
#[derive(Default)]
pub(crate) struct Compared<'a> {
    /// What is to be done.
    pub(crate) changes: Vec<(&'a LockedRpm, PackageChange)>,
    /// What stays, though the bundle has another version of it.
    pub(crate) newer: Vec<Newer<'a>>,
}

/// Compares them. A newer package stays, for it may mend what the bundle's does not;
/// but of Kubernetes and containerd it is to be just the version that was asked for,
/// with which the others are known to work.
pub(crate) fn compare<'a>(installed: &Installed, intent: &'a Intent) -> Compared<'a> {
    let mut compared = Compared::default();
    for locked in intent.lock().rpms.iter().filter(|rpm| rpm.target == intent.target.id) {
        let package = &locked.package;
        if installed.has(package) {
            continue;
        }
        let is_instead = |here: &&Nevra| {
            let is_any = |arch: &str| arch == "noarch";
            here.arch == package.arch || is_any(&here.arch) || is_any(&package.arch)
        };
        let here = installed.named(&package.name).filter(is_instead).max();
        let from = match here {
            Some(here) if SIDE_BY_SIDE.contains(&here.name.as_str()) => None,
            Some(here) if here.evr < package.evr => Some(here.evr.clone()),
            Some(here) if here.evr > package.evr && is_exact(intent, package) => {
                Some(here.evr.clone())
            }
            Some(here) => {
                compared.newer.push(Newer { locked, here: here.clone() });
                continue;
            }
            None => None,
        };
        compared.changes.push((locked, PackageChange { package: package.clone(), from }));
    }
    compared
}

/// Whether it is one of those whose version the spec names: Kubernetes' own programs,
/// and containerd.
pub(crate) fn is_exact(intent: &Intent, package: &Nevra) -> bool {
    let (lock, version) = (intent.lock(), Some(package.evr.version.as_str()));
    let is_named =
        version == Some(lock.kubernetes.as_str()) || version == lock.containerd.as_deref();
    is_named && intent.target.requested.contains(package)
}
