//! Which package to take if several would do. The rules and their order are those of
//! libsolv (`policy_filter_unwanted` in its `src/policy.c`), which dnf uses, so that
//! a bundle contains what dnf would have chosen. Nothing here depends on the order of
//! packages in metadata: ids are assigned by name.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap, HashSet};

use bundle_format::Evr;

use super::universe::{Id, Universe};
use super::{layers, obsoleted, shared_version};

/// Facts outside of two packages that make one of them the better answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Preference {
    /// The packages on the node.
    pub installed: HashSet<Id>,
    /// The packages in a draft of the answer.
    pub drafted: BTreeSet<Id>,
    /// The packages that the others suggest, or that enhance them.
    pub suggested: HashSet<Id>,
}

/// Orders two packages of one name, the better first: an installed one, then the one
/// whose repository has the better priority, then the newer one.
pub(super) fn compare(universe: &Universe, installed: &HashSet<Id>, a: Id, b: Id) -> Ordering {
    installed
        .contains(&b)
        .cmp(&installed.contains(&a))
        .then_with(|| universe.repository(a).priority.cmp(&universe.repository(b).priority))
        .then_with(|| universe.nevra(b).evr.cmp(&universe.nevra(a).evr))
        .then_with(|| a.cmp(&b))
}

/// Orders the packages that fulfil a requirement, the best first: those that libsolv
/// would choose from, then those that it would choose from without these, and so on.
pub(super) fn order(universe: &Universe, preference: &Preference, ids: &[Id]) -> Vec<Id> {
    let installed = |id: &Id| preference.installed.contains(id);
    let drafted = |id: &Id| preference.drafted.contains(id);
    let (mut ordered, rest): (Vec<Id>, Vec<Id>) = ids.iter().copied().partition(installed);
    let (first, rest): (Vec<Id>, Vec<Id>) = rest.into_iter().partition(drafted);
    ordered.extend(first);
    for layer in layers::layers(universe, &rest) {
        ordered.extend(reordered(universe, preference, layer));
    }
    ordered
}

/// The best of `ids`, by name: from the repositories with the best priority, of the
/// best architecture, the newest of each name, and without those that another one
/// obsoletes. If two are equally new, one of an architecture and one of none, both
/// stay. libsolv takes the one that is first in the metadata.
pub(super) fn best(universe: &Universe, ids: &[Id]) -> Vec<Id> {
    let priority = |id: &Id| universe.repository(*id).priority;
    let first = ids.iter().map(priority).min();
    let mut best: Vec<Id> = ids.iter().copied().filter(|id| Some(priority(id)) == first).collect();
    // A package that runs anywhere counts as one of the best architecture.
    let nearest = best.iter().filter_map(|id| universe.distance(*id)).min();
    best.retain(|id| universe.distance(*id).is_none_or(|own| Some(own) == nearest));
    let mut newest: HashMap<&str, &Evr> = HashMap::new();
    for id in &best {
        let nevra = universe.nevra(*id);
        let held = newest.entry(&nevra.name).or_insert(&nevra.evr);
        *held = (*held).max(&nevra.evr);
    }
    best.retain(|id| {
        let nevra = universe.nevra(*id);
        newest.get(nevra.name.as_str()).is_some_and(|newest| **newest == nevra.evr)
    });
    best.sort_unstable();
    let obsoleted = obsoleted::within(universe, &best);
    best.retain(|id| !obsoleted.contains(id));
    best
}

/// Packages of different names, sorted by name, in libsolv's "fancy" order. Each rule
/// keeps the order of packages that are equal to it, so the last rule counts most.
pub(super) fn reordered(universe: &Universe, preference: &Preference, ids: Vec<Id>) -> Vec<Id> {
    let mut ids = ids;
    if ids.len() < 2 {
        return ids;
    }
    // `dislike_old_versions`
    ids.sort_by_key(|id| universe.is_old(*id));
    let behind = shared_version::behind(universe, &ids);
    ids.sort_by_key(|id| behind.get(id).copied());
    let name = |id: &Id| universe.nevra(*id).name.as_str();
    let installed: HashSet<&str> = preference.installed.iter().map(name).collect();
    ids.sort_by_key(|id| !installed.contains(name(id)));
    ids.sort_by_key(|id| !preference.suggested.contains(id));
    ids
}

/// The package that must be installed with a package of a foreign architecture that
/// nobody requested: the one of the same name and of the node's own architecture, if
/// it exists (libsolv's `solver_addinfarchrules`).
pub(super) fn companions(universe: &Universe, id: Id) -> Vec<Id> {
    if universe.is_native(id) {
        return Vec::new();
    }
    let named = universe.named(&universe.nevra(id).name).iter().copied();
    let native = |other: &Id| universe.is_native(*other);
    named.filter(native).filter(|other| universe.nevra(*other).arch != "noarch").collect()
}
