use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash, Hasher};

use bundle_format::{Evr, Nevra};

use super::{READ, outcome, text};

/// Versions, one a line. Their order is an order, and equal ones are equal in every
/// way.
pub(super) fn evr(bytes: &[u8]) -> String {
    let text = text(bytes);
    let read: Result<Vec<Evr>, _> = text.lines().take(6).map(str::parse).collect();
    for nevra in text.lines().filter_map(|line| line.parse::<Nevra>().ok()) {
        assert_eq!(nevra.to_string().parse().as_ref(), Ok(&nevra));
    }
    let versions = match read {
        Ok(versions) => versions,
        Err(error) => return outcome::<(), _>(Err(error)),
    };
    for a in &versions {
        assert_eq!(a.to_string().parse().as_ref(), Ok(a), "{a:?} reads back");
        for b in &versions {
            assert_eq!(a.cmp(b), b.cmp(a).reverse(), "{a:?} {b:?}");
            assert_eq!(
                a.compare_as_range_end(b),
                b.compare_as_range_end(a).reverse(),
                "{a:?} {b:?}"
            );
            if a == b {
                assert_eq!(hash(a), hash(b), "{a:?} {b:?}");
            }
            for c in &versions {
                let is_chain = a.cmp(b) != Ordering::Greater && b.cmp(c) != Ordering::Greater;
                assert!(!is_chain || a.cmp(c) != Ordering::Greater, "{a:?} {b:?} {c:?}");
            }
        }
    }
    READ.to_owned()
}

fn hash(evr: &Evr) -> u64 {
    let mut hasher = DefaultHasher::new();
    evr.hash(&mut hasher);
    hasher.finish()
}
