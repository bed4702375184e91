//! Leaving out what the search took but nothing needs in the end, and noting
//! who needs what.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::policy::{self, Preference};
use super::universe::{Id, Universe};
use super::{Installed, Solution, clause};

/// Walks from the requested packages, and those that are kept in any case, over
/// what they require; of several chosen
/// packages that fulfil a requirement those count that are needed anyway.
pub(super) fn needed(
    universe: &Universe,
    chosen: &BTreeSet<Id>,
    kept: &BTreeSet<Id>,
    requested: Vec<Id>,
    installed: &Installed,
    preference: &Preference,
) -> Solution {
    let mut reached: HashSet<Id> = HashSet::new();
    let mut pending: Vec<Id> = requested.iter().chain(kept).copied().collect();
    // A newer version of something that stood on the node is needed as such.
    let mut open: Vec<(Id, Vec<Id>)> = Vec::new();
    loop {
        while let Some(id) = pending.pop() {
            if !reached.insert(id) || installed.settled.contains(&id) {
                continue;
            }
            for (fulfilling, _) in requirements(universe, chosen, id) {
                match fulfilling.as_slice() {
                    [only] => pending.push(*only),
                    _ => open.push((id, fulfilling)),
                }
            }
            if !requested.contains(&id) {
                let companions = policy::companions(universe, id);
                pending.extend(companions.into_iter().filter(|other| chosen.contains(other)));
            }
        }
        open.retain(|(_, fulfilling)| !fulfilling.iter().any(|id| reached.contains(id)));
        // Nothing forces a choice any more: take the best for the first.
        let Some((_, fulfilling)) = open.first() else { break };
        pending.extend(policy::order(universe, preference, fulfilling).first());
    }
    let upgrades = chosen.iter().filter(|id| {
        installed.packages.iter().any(|old| {
            old != *id && universe.key(*old) == universe.key(**id) && !chosen.contains(old)
        })
    });
    reached.extend(upgrades);

    let mut required_by: BTreeMap<Id, BTreeSet<(Id, String)>> = BTreeMap::new();
    for id in &reached {
        for (fulfilling, words) in requirements(universe, chosen, *id) {
            for other in fulfilling.iter().filter(|other| reached.contains(other)) {
                required_by.entry(*other).or_default().insert((*id, words.clone()));
            }
        }
    }
    let mut packages: Vec<Id> =
        reached.into_iter().filter(|id| !installed.packages.contains(id)).collect();
    packages.sort_by(|a, b| {
        universe.package(*a).nevra.to_string().cmp(&universe.package(*b).nevra.to_string())
    });
    Solution { packages, requested, required_by }
}

/// For each requirement of `id` that holds in the solution, the chosen packages
/// that fulfil it, and its words.
fn requirements(universe: &Universe, chosen: &BTreeSet<Id>, id: Id) -> Vec<(Vec<Id>, String)> {
    let mut found = Vec::new();
    for dependency in &universe.package(id).requires {
        for clause in clause::required(universe, dependency).unwrap_or_default() {
            if !clause.applies(chosen) || clause.any.contains(&id) {
                continue;
            }
            let fulfilling: Vec<Id> =
                clause.any.iter().copied().filter(|other| chosen.contains(other)).collect();
            if !fulfilling.is_empty() {
                found.push((fulfilling, dependency.to_string()));
            }
        }
    }
    found
}
