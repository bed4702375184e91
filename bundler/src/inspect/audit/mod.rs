//! Who vouches for each thing in a bundle: a key whose signature was checked again, who
//! made the bundle, the connection that it came by, or nobody.

pub mod names;
mod others;
mod packages;
mod voucher;

use std::collections::BTreeSet;
use std::time::SystemTime;

use bundle_format::archive::reader::Bundle;
use bundle_format::lock::Lock;

pub use voucher::{Audited, By, Voucher};

/// All things of a release that nobody vouches for, or only the connection by which they came,
/// by the lock alone: the packages' own signatures are checked when a bundle is made.
pub fn unsigned(lock: &Lock) -> Vec<Audited> {
    let all = packages::unsigned(lock).chain(others::audit(lock));
    let mut found: Vec<Audited> = all.filter(|one| one.voucher.by <= By::Connection).collect();
    found.sort();
    found
}

/// All things in a bundle, those first for which nobody vouches. A thing that several
/// releases have is listed once, with the last of them. Reads all packages.
pub fn audit(bundle: &Bundle, now: SystemTime) -> anyhow::Result<Vec<Audited>> {
    let last = bundle.lock();
    let of_hops = last.hops.iter().rev().map(|hop| (names::before_hop(hop), last.of_hop(hop)));
    let mut packages = packages::Packages::of(bundle, now);
    let (mut all, mut seen) = (Vec::new(), BTreeSet::new());
    for (hop, lock) in [(String::new(), last.clone())].into_iter().chain(of_hops) {
        let mut found = packages.audit(&lock)?;
        found.extend(others::audit(&lock));
        found.retain(|one| seen.insert(one.clone()));
        all.extend(found.into_iter().map(|one| Audited { what: hop.clone() + &one.what, ..one }));
    }
    all.sort();
    Ok(all)
}
