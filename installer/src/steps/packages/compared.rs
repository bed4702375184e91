//! A bundle's packages compared with a node's: which are to be installed, upgraded or
//! downgraded, and which stay because they are newer.

use bundle_format::Nevra;
use bundle_format::lock::LockedRpm;

use crate::host::package_change::PackageChange;
use crate::intent::Intent;
use crate::node::rpm::Installed;

/// A package that stays, because the node's version is newer.
pub(crate) struct Newer<'a> {
    /// The bundle's.
    pub(crate) locked: &'a LockedRpm,
    /// The node's.
    pub(crate) here: Nevra,
}

/// The result.
#[derive(Default)]
pub(crate) struct Compared<'a> {
    /// What is to be installed.
    pub(crate) changes: Vec<(&'a LockedRpm, PackageChange)>,
    /// Newer packages that stay.
    pub(crate) newer: Vec<Newer<'a>>,
}

/// Compares them. A newer package stays, because it may be a security update. Only
/// Kubernetes and containerd must have exactly the bundle's version, because these
/// versions were tested together.
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
            Some(here) if here.is_kept_beside_others() => None,
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

/// Whether the spec names the version of this package: Kubernetes' own programs, and
/// containerd.
fn is_exact(intent: &Intent, package: &Nevra) -> bool {
    let (lock, version) = (intent.lock(), Some(package.evr.version.as_str()));
    let is_named =
        version == Some(lock.kubernetes.as_str()) || version == lock.containerd.as_deref();
    is_named && intent.target.requested.contains(package)
}
