//! Leaving out what the search took but nothing needs in the end, and noting
//! who needs what.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::rc::Rc;

use super::policy::{self, Preference};
use super::universe::{Id, Universe};
use super::{Installed, Solution, clause};
use crate::rpm::dependency::{Capability, Dependency};

/// How many reasons there may be for all packages; those of a whole distribution
/// come to a tenth of it.
const MAX_REASONS: usize = 1 << 20;

/// Walks from the requested packages, and those that are kept in any case, over
/// what they require; of several chosen
/// packages that fulfil a requirement those count that are needed anyway. None
/// where packages require one another in more ways than any real ones do.
pub(super) fn needed(
    universe: &Universe,
    chosen: &BTreeSet<Id>,
    kept: &BTreeSet<Id>,
    requested: Vec<Id>,
    installed: &Installed,
    preference: &Preference,
) -> Option<Solution> {
    let mut requirements = Requirements { universe, chosen, known: HashMap::new() };
    let asked: HashSet<Id> = requested.iter().copied().collect();
    let mut reached: HashSet<Id> = HashSet::new();
    let mut pending: Vec<Id> = requested.iter().chain(kept).copied().collect();
    // A newer version of something that stood on the node is needed as such.
    let mut open: VecDeque<Rc<[Id]>> = VecDeque::new();
    loop {
        while let Some(id) = pending.pop() {
            if !reached.insert(id) || installed.settled.contains(&id) {
                continue;
            }
            for (fulfilling, _) in requirements.of(id) {
                match fulfilling.as_ref() {
                    [only] => pending.push(*only),
                    _ => open.push_back(fulfilling),
                }
            }
            if !asked.contains(&id) {
                let companions = policy::companions(universe, id);
                pending.extend(companions.into_iter().filter(|other| chosen.contains(other)));
            }
        }
        // Nothing forces a choice any more: take the best for the first.
        let Some(fulfilling) = open.pop_front() else { break };
        if !fulfilling.iter().any(|id| reached.contains(id)) {
            pending.extend(policy::order(universe, preference, &fulfilling).first());
        }
    }
    let old = installed.packages.iter().filter(|old| !chosen.contains(old));
    let left: HashSet<&str> = old.map(|old| universe.key(*old)).collect();
    let upgrades = chosen.iter().filter(|id| left.contains(universe.key(**id)));
    reached.extend(upgrades);

    let mut required_by: BTreeMap<Id, BTreeSet<(Id, String)>> = BTreeMap::new();
    let mut reasons = 0;
    for id in &reached {
        for (fulfilling, words) in requirements.of(*id) {
            reasons += fulfilling.len();
            if reasons > MAX_REASONS {
                return None;
            }
            for other in fulfilling.iter().filter(|other| reached.contains(other)) {
                required_by.entry(*other).or_default().insert((*id, words.clone()));
            }
        }
    }
    let mut packages: Vec<Id> =
        reached.into_iter().filter(|id| !installed.packages.contains(id)).collect();
    packages.sort_by_cached_key(|id| universe.package(*id).nevra.to_string());
    Some(Solution { packages, requested, required_by })
}

/// What the chosen packages require of each other.
struct Requirements<'a> {
    universe: &'a Universe<'a>,
    chosen: &'a BTreeSet<Id>,
    /// Who of those chosen provides something, as was asked before.
    known: HashMap<&'a Capability, Rc<[Id]>>,
}

impl<'a> Requirements<'a> {
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
