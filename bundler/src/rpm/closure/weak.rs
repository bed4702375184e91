//! Weak dependencies. They add no package. But if several packages fulfil a
//! requirement, they make one of them the better choice. dnf's solver does this even
//! if it is told to install no weak dependencies: `glibc` suggests
//! `glibc-minimal-langpack`.

use std::collections::{BTreeSet, HashSet};

use super::clause;
use super::universe::{Id, Universe};
use crate::rpm::dependency::Dependency;

/// What the packages of `taken` recommend, and what supplements them.
pub(super) struct Recommended<'a> {
    universe: &'a Universe<'a>,
    taken: &'a BTreeSet<Id>,
    by_others: HashSet<Id>,
}

pub(super) fn recommended<'a>(
    universe: &'a Universe<'a>,
    taken: &'a BTreeSet<Id>,
) -> Recommended<'a> {
    let by_others = taken.iter().flat_map(|id| &universe.package(*id).weak.recommends);
    let by_others = asked_for(universe, by_others, taken);
    Recommended { universe, taken, by_others }
}

impl Recommended<'_> {
    /// The recommended ones of `ids`. All of `ids` if none is recommended
    /// (`prune_to_recommended`).
    pub(super) fn of(&self, ids: Vec<Id>) -> Vec<Id> {
        if ids.len() < 2 {
            return ids;
        }
        let is_good = |id: &Id| {
            let supplements = &self.universe.package(*id).weak.supplements;
            self.by_others.contains(id) || is_one_met(self.universe, supplements, self.taken)
        };
        let good: Vec<Id> = ids.iter().copied().filter(is_good).collect();
        if good.is_empty() { ids } else { good }
    }
}

/// The packages of `ids` that `taken` suggest, or that enhance these.
pub(super) fn suggested(universe: &Universe, taken: &BTreeSet<Id>, ids: &[Id]) -> HashSet<Id> {
    let by_others = taken.iter().flat_map(|id| &universe.package(*id).weak.suggests);
    let by_others = asked_for(universe, by_others, taken);
    let is_good = |id: &Id| {
        let enhances = &universe.package(*id).weak.enhances;
        by_others.contains(id) || is_one_met(universe, enhances, taken)
    };
    ids.iter().copied().filter(is_good).collect()
}

fn asked_for<'a>(
    universe: &Universe,
    wanted: impl Iterator<Item = &'a Dependency>,
    taken: &BTreeSet<Id>,
) -> HashSet<Id> {
    let clauses = wanted.filter_map(|wanted| clause::required(universe, wanted)).flatten();
    clauses.filter(|clause| clause.applies(taken)).flat_map(|clause| clause.any).collect()
}

fn is_one_met(universe: &Universe, wanted: &[Dependency], taken: &BTreeSet<Id>) -> bool {
    wanted.iter().filter_map(|wanted| clause::required(universe, wanted)).any(|clauses| {
        let mut open = clauses.iter().filter(|clause| clause.applies(taken));
        open.all(|clause| clause.any.iter().any(|id| taken.contains(id)))
    })
}
