//! Who vouches for each thing in a bundle: a key whose signature was checked again, who
//! made the bundle, the connection that it came by, or nobody.

mod others;
mod packages;
mod voucher;

use std::collections::BTreeSet;
use std::time::SystemTime;

use bundle_format::KubernetesVersion;
use bundle_format::archive::reader::Bundle;

pub use voucher::{Audited, Voucher};

/// All things in a bundle, those first for which nobody vouches. A thing that several
/// releases have is listed once, with the last of them. Reads all packages.
pub fn audit(mut bundle: Bundle, now: SystemTime) -> anyhow::Result<Vec<Audited>> {
    let releases: Vec<KubernetesVersion> = bundle.releases().cloned().collect();
    let (mut all, mut seen) = (Vec::new(), BTreeSet::new());
    for release in releases.iter().rev() {
        bundle = bundle.at(release)?;
        let mut found = packages::audit(&bundle, now)?;
        found.extend(others::audit(bundle.lock()));
        found.retain(|one| seen.insert(one.clone()));
        let hop = if bundle.is_hop() { format!("hop {release}: ") } else { String::new() };
        all.extend(found.into_iter().map(|one| Audited { what: hop.clone() + &one.what, ..one }));
    }
    all.sort();
    Ok(all)
}
