//! Who vouches for each thing in a bundle: a key whose signature was checked again, who
//! made the bundle, the connection that it came by, or nobody.

mod ending;
mod metadata;
pub mod names;
mod others;
mod packages;
mod voucher;

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use bundle_format::archive::reader::Bundle;
use bundle_format::day::sorting_day;
use bundle_format::lock::Lock;

pub use ending::Ending;
pub use voucher::{Audited, By, Voucher};

/// How long a bundle may be in use. A key that ends before that is told.
pub const LIFE: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Who vouches for what.
pub struct Audit {
    /// All things in a bundle, those first for which nobody vouches.
    pub things: Vec<Audited>,
    /// The metadata of the repositories, which are not in the bundle.
    pub metadata: Vec<Audited>,
}

impl Audit {
    /// The voucher of each thing, and of all metadata.
    pub fn vouchers(&self) -> impl Iterator<Item = &Voucher> {
        self.things.iter().chain(&self.metadata).map(|one| &one.voucher)
    }

    /// The keys that end within [`LIFE`], or have ended, the soonest first.
    pub fn ending(&self, now: SystemTime) -> Vec<Ending> {
        ending::of(self.vouchers(), &sorting_day(now + LIFE))
    }
}

/// All things of a release that nobody vouches for, or only the connection by which they came,
/// by the lock alone: the packages' own signatures are checked when a bundle is made.
pub fn unsigned(lock: &Lock) -> Vec<Audited> {
    let all = packages::unsigned(lock).chain(others::audit(lock));
    let mut found: Vec<Audited> = all.filter(|one| one.voucher.by <= By::Connection).collect();
    found.sort();
    found
}

/// Audits a bundle. A thing that several releases have is listed once, with the last of them.
/// Reads all packages.
pub fn audit(bundle: &Bundle, now: SystemTime) -> anyhow::Result<Audit> {
    let last = bundle.lock();
    let of_hops = last.hops.iter().rev().map(|hop| (names::before_hop(hop), last.of_hop(hop)));
    let mut packages = packages::Packages::of(bundle, now);
    let (mut things, mut metadata, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (hop, lock) in [(String::new(), last.clone())].into_iter().chain(of_hops) {
        let mut found = packages.audit(&lock)?;
        found.extend(others::audit(&lock));
        let named = |one: Audited| Audited { what: hop.clone() + &one.what, ..one };
        let mut keep = |mut found: Vec<Audited>, all: &mut Vec<Audited>| {
            found.retain(|one| seen.insert(one.clone()));
            all.extend(found.into_iter().map(named));
        };
        keep(found, &mut things);
        keep(metadata::audit(bundle, &lock, now)?, &mut metadata);
    }
    things.sort();
    metadata.sort();
    Ok(Audit { things, metadata })
}
