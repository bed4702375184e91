//! Which release of a bundle a node goes to next. Kubernetes is upgraded one minor release
//! at a time, so a bundle may also have the releases on the way to its own.

use bundle_format::KubernetesVersion;
use bundle_format::archive::reader::Bundle;

use crate::host::Host;
use crate::receipt::{Stage, Upgrade, upgrade};

/// The release that a node with Kubernetes `now` goes to. An upgrade that has begun goes on
/// to its own release. After one that was made comes the next; the last stays.
pub fn next(
    host: &Host,
    bundle: &Bundle,
    now: &KubernetesVersion,
) -> anyhow::Result<KubernetesVersion> {
    let last = bundle.releases().last().unwrap_or(&bundle.lock().kubernetes);
    if let Some(open) = upgrade(host.lines()).filter(|open| open.stage != Stage::Made) {
        for release in bundle.releases() {
            if bundle.digest_of(release)? == open.bundle {
                return Ok(release.clone());
            }
        }
    }
    let later = bundle.releases().find(|release| release.minor() > now.minor());
    Ok(later.unwrap_or(last).clone())
}

/// The release that follows the one that `bundle` stands for.
pub fn following(bundle: &Bundle) -> Option<&KubernetesVersion> {
    bundle.releases().find(|release| release.minor() > bundle.lock().kubernetes.minor())
}

/// The upgrade that was made and that the next one ends, because it was to an earlier
/// release of the same bundle.
pub fn ended<'a>(host: &'a Host, bundle: &Bundle) -> anyhow::Result<Option<&'a Upgrade>> {
    let Some(open) = upgrade(host.lines()).filter(|open| open.stage == Stage::Made) else {
        return Ok(None);
    };
    let now = bundle.lock().kubernetes.minor();
    for release in bundle.releases().filter(|release| release.minor() < now) {
        if bundle.digest_of(release)? == open.bundle {
            return Ok(Some(open));
        }
    }
    Ok(None)
}
