//! The search. The draft is tried first, and is mostly the answer. If it is not,
//! `resolvo` finds one.

use std::collections::BTreeSet;

use resolvo::{ConditionalRequirement, Problem, Solver, UnsolvableOrCancelled};

use super::candidates::{candidates, successors};
use super::installed::Installed;
use super::policy::Preference;
use super::provider::Provider;
use super::prune::Taken;
use super::request::Request;
use super::solution::{Solution, Unsolvable};
use super::universe::{Id, Universe};
use super::{draft, report};

/// Solves `requests` on a node that has `installed`.
pub fn solve(
    universe: &Universe,
    requests: &[Request],
    installed: &Installed,
) -> Result<Solution, Unsolvable> {
    let wanted: Vec<Vec<Id>> = requests
        .iter()
        .map(|request| candidates(universe, request, installed))
        .collect::<Result<_, _>>()?;
    // Packages on the node stay there, in some version.
    let standing: Vec<Vec<Id>> = {
        let mut ids: Vec<Id> = installed.packages.iter().copied().collect();
        ids.sort_unstable();
        ids.into_iter().map(|id| successors(universe, id)).collect()
    };
    let all: Vec<Vec<Id>> = standing.iter().chain(&wanted).cloned().collect();
    let (drafted, is_whole) = draft::draft(universe, installed, &all);
    let preference =
        Preference { installed: installed.packages.clone(), drafted, ..Preference::default() };
    let words = requests.iter().map(|request| request.text.clone());
    let own = |any: &Vec<Id>| any.first().map(|id| universe.nevra(*id).name.clone());
    let words = words.chain(standing.iter().filter_map(own));
    let search = Search {
        universe,
        requests,
        installed,
        preference: &preference,
        wanted: wanted.iter().chain(&standing).cloned().zip(words).collect(),
    };
    let needed = |chosen: &BTreeSet<Id>, kept: &BTreeSet<Id>| {
        let requested = wanted
            .iter()
            .filter_map(|ids| ids.iter().copied().find(|id| chosen.contains(id)))
            .collect();
        let taken = Taken { universe, installed, preference: &preference, packages: chosen };
        taken.needed(requested, kept).ok_or(Unsolvable::Entangled)
    };
    // A complete draft that the search confirms is the answer.
    if is_whole
        && let Ok(chosen) = search.run(&preference.drafted)
        && chosen == preference.drafted
    {
        return needed(&chosen, &chosen);
    }
    let nothing = BTreeSet::new();
    needed(&search.run(&nothing)?, &nothing)
}

/// What is searched for, and in which packages.
struct Search<'a> {
    universe: &'a Universe<'a>,
    requests: &'a [Request],
    installed: &'a Installed,
    preference: &'a Preference,
    /// Sets of packages, with words for each. One package of each set must be
    /// installed.
    wanted: Vec<(Vec<Id>, String)>,
}

impl Search<'_> {
    /// The packages that fulfil all of `wanted`, with `also` among them.
    fn run(&self, also: &BTreeSet<Id>) -> Result<BTreeSet<Id>, Unsolvable> {
        let requested = self.wanted.iter().flat_map(|(any, _)| any).copied().collect();
        let provider = Provider::new(self.universe, self.installed, self.preference, requested);
        let mut requirements: Vec<ConditionalRequirement> =
            self.wanted.iter().map(|(any, words)| provider.any_of(any.clone(), words)).collect();
        requirements.extend(also.iter().map(|id| provider.any_of(vec![*id], "the draft")));
        let mut solver = Solver::new(provider);
        let problem = Problem::new().requirements(requirements);
        match solver.solve(problem) {
            Ok(solved) => {
                Ok(solved.into_iter().map(|solvable| solver.provider().package(solvable)).collect())
            }
            // Nobody needs to know why a draft fails.
            Err(UnsolvableOrCancelled::Unsolvable(_)) if !also.is_empty() => {
                Err(Unsolvable::Conflict(String::new()))
            }
            // The library's report asserts that there are no conditions,
            // so it cannot be made.
            Err(UnsolvableOrCancelled::Unsolvable(_)) if solver.provider().is_conditional() => {
                Err(Unsolvable::Conflict(self.culprits()))
            }
            Err(UnsolvableOrCancelled::Unsolvable(conflict)) => {
                let report = conflict.display_user_friendly(&solver).to_string();
                Err(Unsolvable::Conflict(report::plain(&report)))
            }
            Err(UnsolvableOrCancelled::Cancelled(_)) => {
                Err(Unsolvable::Conflict("the search was cancelled".to_owned()))
            }
        }
    }

    /// The requests that cannot be fulfilled even alone. If each can, all of
    /// them.
    fn culprits(&self) -> String {
        let requests = self.requests;
        let alone = |request: &&Request| {
            let one = std::slice::from_ref(*request);
            requests.len() == 1 || solve(self.universe, one, self.installed).is_err()
        };
        let names = |requests: &[&Request]| {
            requests.iter().map(|request| request.text.as_str()).collect::<Vec<_>>().join(", ")
        };
        let unsolvable: Vec<&Request> = requests.iter().filter(alone).collect();
        if unsolvable.is_empty() {
            let all: Vec<&Request> = requests.iter().collect();
            return format!("{} can each be installed, but not together", names(&all));
        }
        format!(
            "{} cannot be installed: its dependencies, with boolean ones among them, contradict \
             one another, or no repository has them",
            names(&unsolvable)
        )
    }
}
