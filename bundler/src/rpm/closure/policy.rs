//! Which package to take where several would do. The order is that of libsolv
//! (`policy_filter_unwanted` in its `src/policy.c`), which dnf uses, so that a
//! bundle holds what dnf would have chosen.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::universe::{Id, Universe};

/// Orders two packages of one name, the better first: installed, then by the
/// repository's priority, then the newer.
pub(super) fn compare(universe: &Universe, installed: &HashSet<Id>, a: Id, b: Id) -> Ordering {
    installed
        .contains(&b)
        .cmp(&installed.contains(&a))
        .then_with(|| universe.repository(a).priority.cmp(&universe.repository(b).priority))
        .then_with(|| universe.package(b).nevra.evr.cmp(&universe.package(a).nevra.evr))
        .then_with(|| a.cmp(&b))
}

/// Orders the packages that fulfil one requirement, the best first.
pub(super) fn order(universe: &Universe, installed: &HashSet<Id>, ids: &[Id]) -> Vec<Id> {
    let obsoleted = obsoleted_within(universe, ids);
    let mut ordered = ids.to_vec();
    ordered.sort_by(|a, b| {
        let rank = |id: Id| {
            (
                !installed.contains(&id),
                universe.repository(id).priority,
                obsoleted.contains(&id),
                !universe.is_native(id),
            )
        };
        rank(*a).cmp(&rank(*b)).then_with(|| {
            if universe.key(*a) == universe.key(*b) {
                compare(universe, installed, *a, *b)
            } else {
                a.cmp(b)
            }
        })
    });
    ordered
}

/// What must stand beside a package of a foreign architecture that nobody asked
/// for: its namesake of the node's own, where there is one (libsolv's
/// `solver_addinfarchrules`).
pub(super) fn companions(universe: &Universe, id: Id) -> Vec<Id> {
    if universe.is_native(id) {
        return Vec::new();
    }
    let named = universe.named(&universe.package(id).nevra.name).iter().copied();
    let native = |other: &Id| universe.is_native(*other);
    named.filter(native).filter(|other| universe.package(*other).nevra.arch != "noarch").collect()
}

/// Those of `ids` that another of them obsoletes.
pub(super) fn obsoleted_within(universe: &Universe, ids: &[Id]) -> HashSet<Id> {
    let mut obsoleted = HashSet::new();
    if ids.len() < 2 {
        return obsoleted;
    }
    for id in ids {
        for obsolete in &universe.package(*id).obsoletes {
            obsoleted.extend(
                universe.obsoleted(obsolete).filter(|other| {
                    universe.key(*other) != universe.key(*id) && ids.contains(other)
                }),
            );
        }
    }
    obsoleted
}
