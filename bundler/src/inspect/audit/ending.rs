//! The keys behind an audit that end while a bundle may still be in use.

use std::collections::BTreeMap;

use super::voucher::Voucher;

/// A key that ends soon, or has ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Ending {
    /// Its last day: `2026-12-29`.
    pub end: String,
    /// The key or subkey that signed: its fingerprint and its owner.
    pub key: String,
    /// How many things it vouches for, metadata among them.
    pub things: usize,
}

/// Each key that ends on the day `until` or before, the soonest first. Of a subkey, its own end
/// counts: what it signed is refused from then on, even if its primary key is valid for longer.
pub(super) fn of<'a>(vouchers: impl Iterator<Item = &'a Voucher>, until: &str) -> Vec<Ending> {
    let mut keys = BTreeMap::<(&str, &str), usize>::new();
    for Voucher { expires, key, .. } in vouchers {
        if let (Some(end), Some(key)) = (expires, key)
            && end.as_str() <= until
        {
            *keys.entry((end, key)).or_default() += 1;
        }
    }
    let ending = |((end, key), things): ((&str, &str), usize)| Ending {
        end: end.to_owned(),
        key: key.to_owned(),
        things,
    };
    keys.into_iter().map(ending).collect()
}
