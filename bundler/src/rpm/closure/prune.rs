//! Removes packages that the search took and that nothing needs in the end, and
//! records which package needs which.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::rc::Rc;

use super::clause;
use super::installed::Installed;
use super::policy::{self, Preference};
use super::solution::Solution;
use super::universe::{Id, Universe};
use crate::rpm::dependency::{Capability, Dependency};

/// The most reasons for all packages. Those of a whole distribution have a tenth of
/// it.
const MAX_REASONS: usize = 1 << 20;

/// The packages that the search took, with what it searched in.
pub(super) struct Taken<'a> {
    pub(super) universe: &'a Universe<'a>,
    pub(super) installed: &'a Installed,
    pub(super) preference: &'a Preference,
    pub(super) packages: &'a BTreeSet<Id>,
}

impl<'a> Taken<'a> {
    /// The packages of it that the requested and the kept packages need. `None`
    /// if packages require one another in more ways than real ones do.
    pub(super) fn needed(&self, requested: Vec<Id>, kept: &BTreeSet<Id>) -> Option<Solution> {
        let (universe, chosen) = (self.universe, self.packages);
        let mut requirements = Requirements { universe, chosen, known: HashMap::new() };
        let mut reached = self.reached(&requested, kept, &mut requirements);
        reached.extend(self.upgrades());
        let required_by = requirements.reasons(&reached)?;
        let mut packages: Vec<Id> =
            reached.into_iter().filter(|id| !self.installed.packages.contains(id)).collect();
        packages.sort_by_cached_key(|id| universe.nevra(*id).to_string());
        Some(Solution { packages, requested, required_by })
    }

    /// Walks from the requested and the kept packages over their requirements. If
    /// several packages fulfil a requirement, one that is needed anyway is
    /// enough.
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
            // No requirement leads to a single package any more: takes the
            // best one for the first requirement.
            let Some(fulfilling) = open.pop_front() else { return reached };
            if !fulfilling.iter().any(|id| reached.contains(id)) {
                let best = policy::order(self.universe, self.preference, &fulfilling);
                pending.extend(best.first());
            }
        }
    }

    /// Newer versions of packages on the node. They are always needed.
    fn upgrades(&self) -> impl Iterator<Item = Id> {
        let chosen = self.packages;
        let old = self.installed.packages.iter().filter(|old| !chosen.contains(old));
        let left: HashSet<&str> = old.map(|old| self.universe.key(*old)).collect();
        chosen.iter().copied().filter(move |id| left.contains(self.universe.key(*id)))
    }
}

type RequiredBy = BTreeMap<Id, BTreeSet<(Id, String)>>;

/// The requirements between the chosen packages.
struct Requirements<'a> {
    universe: &'a Universe<'a>,
    chosen: &'a BTreeSet<Id>,
    /// The chosen packages that provide a capability, if it was asked for before.
    known: HashMap<&'a Capability, Rc<[Id]>>,
}

impl<'a> Requirements<'a> {
    /// For each package of `reached`, which others of them require it, with their
    /// words for it.
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

    /// For each requirement of `id` that applies, the chosen packages that fulfil
    /// it, and the requirement's words.
    fn of(&mut self, id: Id) -> Vec<(Rc<[Id]>, String)> {
        let (universe, chosen) = (self.universe, self.chosen);
        let mut found = Vec::new();
        for dependency in &universe.package(id).requires {
            if let Dependency::Capability(capability) = dependency {
                let fulfilling = self.known.entry(capability).or_insert_with(|| {
                    let all = universe.providers(capability);
                    all.into_iter().filter(|other| chosen.contains(other)).collect()
                });
                // A package that itself provides it needs no other.
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
