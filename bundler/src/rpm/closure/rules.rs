//! What holds between packages, as far as a draft looks: which excludes which,
//! and which of several a package needs.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::universe::{Id, Universe};
use super::{Installed, clause, policy};

/// One of `any` is needed where `owner` is, and one of each of `given`.
#[derive(Debug)]
pub(super) struct Rule {
    /// None for what was asked for.
    pub owner: Option<Id>,
    /// The packages, any of which will do.
    pub any: Vec<Id>,
    /// The condition; empty for always.
    pub given: Vec<Vec<Id>>,
}

/// All rules about the packages that can come to be installed.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub rules: Vec<Rule>,
    /// The places of the rules that a package has.
    pub of_owner: HashMap<Id, Vec<usize>>,
    /// The places of the rules that a package fulfils, if they have no condition.
    pub fulfilled_by: HashMap<Id, Vec<usize>>,
    /// The packages that cannot stand beside a package.
    pub excluded_by: HashMap<Id, BTreeSet<Id>>,
}

impl Rules {
    /// The rules behind `wanted`, one of each of which must be there.
    pub(super) fn new(universe: &Universe, installed: &Installed, wanted: &[Vec<Id>]) -> Self {
        let mut rules = Self::default();
        for any in wanted {
            rules.add(Rule { owner: None, any: any.clone(), given: Vec::new() });
        }
        let requested: HashSet<Id> = wanted.iter().flatten().copied().collect();
        let mut reached = requested.clone();
        let mut pending: Vec<Id> = requested.iter().copied().collect();
        pending.sort_unstable();
        while let Some(id) = pending.pop() {
            for rule in of_package(universe, installed, &requested, id) {
                pending.extend(rule.any.iter().copied().filter(|other| reached.insert(*other)));
                rules.add(rule);
            }
        }
        for id in reached {
            for other in excluded(universe, id) {
                rules.excluded_by.entry(id).or_default().insert(other);
                rules.excluded_by.entry(other).or_default().insert(id);
            }
        }
        rules
    }

    fn add(&mut self, rule: Rule) {
        let place = self.rules.len();
        if let Some(owner) = rule.owner {
            self.of_owner.entry(owner).or_default().push(place);
        }
        if rule.given.is_empty() {
            for id in &rule.any {
                self.fulfilled_by.entry(*id).or_default().push(place);
            }
        }
        self.rules.push(rule);
    }
}

fn of_package(
    universe: &Universe,
    installed: &Installed,
    requested: &HashSet<Id>,
    id: Id,
) -> Vec<Rule> {
    let mut rules = Vec::new();
    if !installed.settled.contains(&id) {
        let requires = universe.package(id).requires.iter();
        let clauses = requires.filter_map(|wanted| clause::required(universe, wanted)).flatten();
        let open = clauses.filter(|clause| !clause.any.contains(&id));
        rules.extend(open.map(|clause| Rule {
            owner: Some(id),
            any: clause.any,
            given: clause.given,
        }));
    }
    let companions = policy::companions(universe, id);
    if !companions.is_empty() && !requested.contains(&id) {
        rules.push(Rule { owner: Some(id), any: companions, given: Vec::new() });
    }
    rules
}

/// The packages that `id` excludes by what it says itself.
fn excluded(universe: &Universe, id: Id) -> Vec<Id> {
    let package = universe.package(id);
    let named = universe.named(&package.nevra.name).iter().copied();
    let mut excluded: Vec<Id> = named
        .filter(|other| {
            let same = universe.key(*other) == universe.key(id);
            *other != id && (same || universe.package(*other).nevra.evr != package.nevra.evr)
        })
        .collect();
    let conflicts = package.conflicts.iter();
    let banned = conflicts.filter_map(|wanted| clause::forbidden(universe, wanted)).flatten();
    let banned = banned.filter_map(|clause| match clause.given.as_slice() {
        [single] if clause.any.is_empty() => Some(single.clone()),
        _ => None,
    });
    let obsoletes = package.obsoletes.iter().flat_map(|wanted| universe.obsoleted(wanted));
    let others = banned.flatten().chain(obsoletes);
    excluded.extend(others.filter(|other| universe.key(*other) != universe.key(id)));
    excluded
}
