//! Who vouches for each thing in a bundle: a key whose signature was checked again, who
//! made the bundle, the connection that it came by, or nobody.

mod others;
mod packages;
mod voucher;

use std::time::SystemTime;

use bundle_format::archive::reader::Bundle;
use bundle_format::lock::Lock;

pub use voucher::{Audited, Voucher};

/// All things in a bundle, those for which the least vouches first. Reads all its
/// packages.
pub fn audit(bundle: &Bundle, now: SystemTime) -> anyhow::Result<Vec<Audited>> {
    let lock = bundle.lock();
    let mut all = packages::audit(bundle, lock, now)?;
    all.extend(others::audit(lock));
    for hop in &lock.hops {
        // What only it has, and all of its keys.
        let own = lock.own_of_hop(hop);
        let own = Lock { files: hop.files.clone(), ..own };
        let mut more = packages::audit(bundle, &own, now)?;
        more.extend(others::audit(&own));
        more.retain(|one| !all.contains(one));
        all.extend(
            more.into_iter().map(|one| Audited {
                what: format!("hop {}: {}", hop.kubernetes, one.what),
                ..one
            }),
        );
    }
    all.sort();
    Ok(all)
}
