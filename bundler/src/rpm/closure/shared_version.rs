//! Packages that provide the same thing in different versions, and which of them are
//! behind the others (`sort_by_common_dep` in libsolv's `src/policy.c`).

use std::cmp::Ordering;
use std::collections::HashMap;

use bundle_format::Evr;

use super::universe::{Id, Universe};
use crate::rpm::dependency::Comparison;

/// The version in which one of several packages provides something.
struct Provided<'a> {
    by: Id,
    evr: &'a Evr,
    /// Whether it is written with `<`, which excludes this version itself.
    below: bool,
}

/// For each of `ids`, how often another one provides the same in a newer version.
pub(super) fn behind(universe: &Universe, ids: &[Id]) -> HashMap<Id, usize> {
    let mut by_name: HashMap<&str, Vec<Provided<'_>>> = HashMap::new();
    for id in ids {
        for capability in &universe.package(*id).provides {
            let Some(range) = &capability.range else { continue };
            let below = match range.comparison {
                Comparison::Equal if is_hash(&range.end) => continue,
                Comparison::Equal | Comparison::LessOrEqual => false,
                Comparison::Less => true,
                Comparison::GreaterOrEqual | Comparison::Greater => continue,
            };
            let provided = Provided { by: *id, evr: &range.end, below };
            by_name.entry(&capability.name).or_default().push(provided);
        }
    }
    let mut behind: HashMap<Id, usize> = ids.iter().map(|id| (*id, 0)).collect();
    for mut provided in by_name.into_values() {
        // The newest first.
        provided.sort_by(|a, b| newer(b, a));
        let mut steps = 0;
        for pair in provided.windows(2) {
            let [before, this] = pair else { continue };
            if before.by != this.by && is_newer(before, this) {
                steps += 1;
            }
            *behind.entry(this.by).or_default() += steps;
        }
    }
    behind
}

fn newer(a: &Provided<'_>, b: &Provided<'_>) -> Ordering {
    a.evr.cmp(b.evr).then_with(|| b.below.cmp(&a.below))
}

/// Compares versions. A release that only one of the two has makes no difference.
fn is_newer(a: &Provided<'_>, b: &Provided<'_>) -> bool {
    match a.evr.compare_as_range_end(b.evr) {
        Ordering::Equal => {
            a.evr.release.is_empty() == b.evr.release.is_empty() && b.below && !a.below
        }
        order => order.is_gt(),
    }
}

/// Whether the version is a digest. Digests have no order.
fn is_hash(evr: &Evr) -> bool {
    let text = evr.to_string();
    text.len() >= 4 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
