//! Who vouches for each thing in a bundle: a key whose signature was checked again, who
//! made the bundle, the connection that it came by, or nobody.

mod others;
mod packages;
mod voucher;

use std::time::SystemTime;

use bundle_format::KubernetesVersion;
use bundle_format::archive::reader::Bundle;

pub use voucher::{Audited, Voucher};

/// All things in a bundle, also those of its hops, and those for which the least vouches
/// first. Reads all packages.
pub fn audit(mut bundle: Bundle, now: SystemTime) -> anyhow::Result<Vec<Audited>> {
    let releases: Vec<KubernetesVersion> = bundle.releases().cloned().collect();
    let mut all = Vec::new();
    for release in &releases {
        bundle = bundle.at(release)?;
        all.extend(packages::audit(&bundle, now)?);
        all.extend(others::audit(bundle.lock()));
    }
    all.sort();
    // The releases have some things in common.
    all.dedup();
    Ok(all)
}
