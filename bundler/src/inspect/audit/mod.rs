//! Who vouches for each thing in a bundle: a key whose signature was checked again, who
//! made the bundle, the connection that it came by, or nobody.

mod others;
mod packages;
mod voucher;

use std::time::SystemTime;

use bundle_format::archive::reader::Bundle;

pub use voucher::{Audited, Voucher};

/// All things in a bundle, those for which the least vouches first. Reads all its
/// packages.
pub fn audit(bundle: &Bundle, now: SystemTime) -> anyhow::Result<Vec<Audited>> {
    let mut all = packages::audit(bundle, now)?;
    all.extend(others::audit(bundle.lock()));
    all.sort();
    Ok(all)
}
