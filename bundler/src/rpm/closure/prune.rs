//! Leaving out what the search took but nothing needs in the end, and noting
//! who needs what.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::rc::Rc;

use super::clause;
use super::installed::Installed;
use super::policy::{self, Preference};
use super::solution::Solution;
use super::universe::{Id, Universe};
use crate::rpm::dependency::{Capability, Dependency};

/// How many reasons there may be for all packages; those of a whole distribution
/// come to a tenth of it.
const MAX_REASONS: usize = 1 << 20;

/// What the search took, of what, and for which node.
pub(super) struct Taken<'a> {
    pub(super) universe: &'a Universe<'a>,
    pub(super) installed: &'a Installed,
    pub(super) preference: &'a Preference,
    pub(super) packages: &'a BTreeSet<Id>,
}

impl<'a> Taken<'a> {
    /// What of it is needed for the requested packages, and for those that are kept in
    /// any case. None where packages require one another in more ways than any real ones
    /// do.
    pub(super) fn needed(&self, requested: Vec<Id>, kept: &BTreeSet<Id>) -> Option<Solution> {
        let (universe, chosen) = (self.universe, self.packages);
        let mut requirements = Requirements { universe, chosen, known: HashMap::new() };
        let mut reached = self.reached(&requested, kept, &mut requirements);
        reached.extend(self.upgrades());
        let required_by = requirements.reasons(&reached)?;
        let mut packages: Vec<Id> =
            reached.into_iter().filter(|id| !self.installed.packages.contains(id)).collect();
        packages.sort_by_cached_key(|id| universe.package(*id).nevra.to_string());
        Some(Solution { packages, requested, required_by })
    }

    /// Walks from the requested and the kept packages over what they require; of several
    /// that fulfil a requirement those count that are needed anyway.
    fn reached(
        &self,
        requested: &[Id],
        kept: &BTreeSet<Id>,
        requirements: &mut Requirements<'a>,
    ) -> HashSet<Id> {
        let asked: HashSet<Id> = requested.iter().copied().collect();
        let mut reached: HashSet<Id> = HashSet::new();
        let mut pending: Vec<Id> = requested.iter().chain(kept).copied().collect();
        let mut open: VecDeque<Rc<[Id]>> = VecDeque::new();
        loop {
            while let Some(id) = pending.pop() {
                if !reached.insert(id) || self.installed.settled.contains(&id) {
                    continue;
                }
                for (fulfilling, _) in requirements.of(id) {
                    match fulfilling.as_ref() {
                        [only] => pending.push(*only),
                        _ => open.push_back(fulfilling),
                    }
                }
                if !asked.contains(&id) {
                    let companions = policy::companions(self.universe, id).into_iter();
                    pending.extend(companions.filter(|other| self.packages.contains(other)));
                }
            }
            // Nothing forces a choice any more: take the best for the first.
            let Some(fulfilling) = open.pop_front() else { return reached };
            if !fulfilling.iter().any(|id| reached.contains(id)) {
                let best = policy::order(self.universe, self.preference, &fulfilling);
                pending.extend(best.first());
            }
        }
    }

    /// A newer version of something that stood on the node is needed as such.
    fn upgrades(&self) -> impl Iterator<Item = Id> {
        let chosen = self.packages;
        let old = self.installed.packages.iter().filter(|old| !chosen.contains(old));
        let left: HashSet<&str> = old.map(|old| self.universe.key(*old)).collect();
        chosen.iter().copied().filter(move |id| left.contains(self.universe.key(*id)))
    }
}

type RequiredBy = BTreeMap<Id, BTreeSet<(Id, String)>>;

/// What the chosen packages require of each other.
struct Requirements<'a> {
    universe: &'a Universe<'a>,
    chosen: &'a BTreeSet<Id>,
    /// Who of those chosen provides something, as was asked before.
    known: HashMap<&'a Capability, Rc<[Id]>>,
}

impl<'a> Requirements<'a> {
    /// For each package of `reached`, which others of them require it and by which words.
    fn reasons(&mut self, reached: &HashSet<Id>) -> Option<RequiredBy> {
        let mut required_by = RequiredBy::new();
        let mut reasons = 0;
        for id in reached {
            for (fulfilling, words) in self.of(*id) {
                reasons += fulfilling.len();
                if reasons > MAX_REASONS {
                    return None;
                }
                for other in fulfilling.iter().filter(|other| reached.contains(other)) {
                    required_by.entry(*other).or_default().insert((*id, words.clone()));
                }
            }
        }
        Some(required_by)
    }

    /// For each requirement of `id` that holds in the solution, the chosen packages
    /// that fulfil it, and its words.
    fn of(&mut self, id: Id) -> Vec<(Rc<[Id]>, String)> {
        let (universe, chosen) = (self.universe, self.chosen);
        let mut found = Vec::new();
        for dependency in &universe.package(id).requires {
            if let Dependency::Capability(capability) = dependency {
                let fulfilling = self.known.entry(capability).or_insert_with(|| {
                    let all = universe.providers(capability);
                    all.into_iter().filter(|other| chosen.contains(other)).collect()
                });
                // Those who provide it themselves are chosen.
                if !fulfilling.is_empty() && fulfilling.binary_search(&id).is_err() {
                    found.push((fulfilling.clone(), dependency.to_string()));
                }
                continue;
            }
            for clause in clause::required(universe, dependency).unwrap_or_default() {
                if !clause.applies(chosen) || clause.any.contains(&id) {
                    continue;
                }
                let fulfilling: Rc<[Id]> =
                    clause.any.iter().copied().filter(|other| chosen.contains(other)).collect();
                if !fulfilling.is_empty() {
                    found.push((fulfilling, dependency.to_string()));
                }
            }
        }
        found
    }
}
