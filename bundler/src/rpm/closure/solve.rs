//! The dependency closure: which packages must come along so that those asked
//! for can be installed.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use bundle_format::Nevra;
use resolvo::{ConditionalRequirement, Problem, Solver, UnsolvableOrCancelled};

mod clause;
mod draft;
mod exclusions;
mod layers;
mod obsoleted;
mod policy;
mod provider;
mod prune;
mod request;
mod rules;
mod shared_version;
mod universe;
mod weak;

pub use request::Request;
pub use universe::{Id, Universe};

use crate::rpm::dependency::Capability;
use policy::Preference;
use provider::Provider;

/// What stands on the node before.
#[derive(Debug, Default)]
pub struct Installed {
    /// The packages, as far as the repositories know them.
    pub packages: HashSet<Id>,
    /// Those of them whose own requirements are taken as met.
    pub settled: HashSet<Id>,
}

/// The packages to bring.
#[derive(Debug)]
pub struct Solution {
    /// Every package that must be installed and is not there yet, sorted.
    pub packages: Vec<Id>,
    /// What each request was solved with, in the requests' order; a package
    /// that stands there already among them.
    pub requested: Vec<Id>,
    /// For each package, who requires it and by which words.
    pub required_by: BTreeMap<Id, BTreeSet<(Id, String)>>,
}

/// Why a request cannot be met.
#[derive(Debug, thiserror::Error)]
pub enum Unsolvable {
    /// No repository has such a package.
    #[error("no repository has a package `{request}`{}", near(.similar))]
    Unknown {
        /// The request.
        request: String,
        /// Packages with a similar name.
        similar: Vec<String>,
    },
    /// It has the signs of a pattern.
    #[error("`{0}` is a pattern, and patterns are not read: name each package")]
    Pattern(String),
    /// The metadata is nobody's honest work.
    #[error(
        "the packages require one another in more ways than those of any real repository do; is this the right repository?"
    )]
    Entangled,
    /// It is there but cannot be installed.
    #[error("the packages cannot be installed together:\n{0}")]
    Conflict(String),
}

fn near(similar: &[String]) -> String {
    if similar.is_empty() { String::new() } else { format!("; there are {}", similar.join(", ")) }
}

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
    // What stands on the node stays there, in some version.
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
    let own = |any: &Vec<Id>| any.first().map(|id| universe.package(*id).nevra.name.clone());
    let words = words.chain(standing.iter().filter_map(own));
    let all: Vec<(Vec<Id>, String)> = wanted.iter().chain(&standing).cloned().zip(words).collect();
    let ask = |also: &BTreeSet<Id>| search(universe, requests, installed, &preference, &all, also);
    let needed = |chosen: &BTreeSet<Id>, kept: &BTreeSet<Id>| {
        let requested = wanted
            .iter()
            .filter_map(|ids| ids.iter().copied().find(|id| chosen.contains(id)))
            .collect();
        prune::needed(universe, chosen, kept, requested, installed, &preference)
            .ok_or(Unsolvable::Entangled)
    };
    // A whole draft that the search confirms is the answer, all of it.
    if is_whole
        && let Ok(chosen) = ask(&preference.drafted)
        && chosen == preference.drafted
    {
        return needed(&chosen, &chosen);
    }
    let nothing = BTreeSet::new();
    needed(&ask(&nothing)?, &nothing)
}

/// The packages that meet `wanted`, each of which has words to it, and `also`.
fn search(
    universe: &Universe,
    requests: &[Request],
    installed: &Installed,
    preference: &Preference,
    wanted: &[(Vec<Id>, String)],
    also: &BTreeSet<Id>,
) -> Result<BTreeSet<Id>, Unsolvable> {
    let requested = wanted.iter().flat_map(|(any, _)| any).copied().collect();
    let provider = Provider::new(universe, installed, preference, requested);
    let mut requirements: Vec<ConditionalRequirement> =
        wanted.iter().map(|(any, words)| provider.any_of(any.clone(), words)).collect();
    requirements.extend(also.iter().map(|id| provider.any_of(vec![*id], "the draft")));
    let mut solver = Solver::new(provider);
    let problem = Problem::new().requirements(requirements);
    match solver.solve(problem) {
        Ok(solved) => {
            Ok(solved.into_iter().map(|solvable| solver.provider().package(solvable)).collect())
        }
        // Nobody asks why a draft will not do.
        Err(UnsolvableOrCancelled::Unsolvable(_)) if !also.is_empty() => {
            Err(Unsolvable::Conflict(String::new()))
        }
        // The library's report cannot tell of conditions: it asserts that there
        // are none.
        Err(UnsolvableOrCancelled::Unsolvable(_)) if solver.provider().is_conditional() => {
            Err(Unsolvable::Conflict(culprits(universe, requests, installed)))
        }
        Err(UnsolvableOrCancelled::Unsolvable(conflict)) => {
            let report = conflict.display_user_friendly(&solver).to_string();
            Err(Unsolvable::Conflict(report.trim_end().to_owned()))
        }
        Err(UnsolvableOrCancelled::Cancelled(_)) => {
            Err(Unsolvable::Conflict("the search was cancelled".to_owned()))
        }
    }
}

/// The requests that cannot be met even alone, or, if each can, all of them.
fn culprits(universe: &Universe, requests: &[Request], installed: &Installed) -> String {
    let alone = |request: &&Request| {
        requests.len() == 1 || solve(universe, std::slice::from_ref(*request), installed).is_err()
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
        "{} cannot be installed: what they require, boolean dependencies among it, contradicts \
         itself or cannot be had",
        names(&unsolvable)
    )
}

/// What a request is about; a package that the node has answers a request for
/// any version.
fn candidates(
    universe: &Universe,
    request: &Request,
    installed: &Installed,
) -> Result<Vec<Id>, Unsolvable> {
    let candidates = request.candidates(universe);
    if candidates.is_empty() && request.text.contains(['*', '?', '[']) {
        return Err(Unsolvable::Pattern(request.text.clone()));
    }
    if candidates.is_empty() {
        let similar = similar(universe, &request.text);
        return Err(Unsolvable::Unknown { request: request.text.clone(), similar });
    }
    let named = universe.named(&request.text);
    if request.repository.is_none()
        && let Some(id) = named.iter().find(|id| installed.packages.contains(id))
    {
        return Ok(vec![*id]);
    }
    // A package that another one has taken the place of is answered with that.
    if named.is_empty() || request.repository.is_some() {
        return Ok(candidates);
    }
    // As dnf does, a package that takes the place of one of that name answers
    // too, and is the only answer where it takes the place of the best of them.
    let mut all = request.answers(universe);
    all.extend(obsoleters(universe, named));
    all.sort_unstable();
    all.dedup();
    Ok(policy::best(universe, &all))
}

/// The packages of another name that obsolete one of `ids`, which have one name:
/// for each of these the newest of each name.
fn obsoleters(universe: &Universe, ids: &[Id]) -> Vec<Id> {
    let Some(first) = ids.first() else { return Vec::new() };
    let mut by_key: HashMap<&str, Vec<(Id, &Capability)>> = HashMap::new();
    for (other, wanted) in universe.obsoleting(&universe.package(*first).nevra.name) {
        by_key.entry(universe.key(*other)).or_default().push((*other, wanted));
    }
    let none = HashSet::new();
    let mut found = BTreeSet::new();
    for (key, mut others) in by_key {
        others.sort_by(|(a, _), (b, _)| policy::compare(universe, &none, *a, *b));
        let own = ids.iter().copied().filter(|id| universe.key(*id) != key);
        let mut open: BTreeSet<Id> = own.collect();
        for (other, wanted) in others {
            // The packages of a name stand side by side.
            let obsoleted = universe.obsoleted(wanted);
            let (Some(from), Some(to)) = (obsoleted.first(), obsoleted.last()) else { continue };
            let gone: Vec<Id> = open.range(*from..=*to).copied().collect();
            if !gone.is_empty() {
                found.insert(other);
            }
            for id in &gone {
                open.remove(id);
            }
        }
    }
    found.into_iter().collect()
}

/// What may stand where `id` stands: itself, a newer version, an obsoleter.
fn successors(universe: &Universe, id: Id) -> Vec<Id> {
    let own = &universe.package(id).nevra.evr;
    let mut ids = vec![id];
    ids.extend(
        universe
            .named(&universe.package(id).nevra.name)
            .iter()
            .copied()
            .filter(|other| universe.key(*other) == universe.key(id))
            .filter(|other| universe.package(*other).nevra.evr > *own),
    );
    ids.extend(obsoleters(universe, &[id]));
    ids
}

fn similar(universe: &Universe, text: &str) -> Vec<String> {
    let wanted = text.split([' ', '>', '<', '=']).next().unwrap_or(text).to_lowercase();
    let names: BTreeSet<String> = universe
        .ids()
        .map(|id| &universe.package(id).nevra)
        .filter(|nevra| wanted.len() > 2 && nevra.name.to_lowercase().contains(&wanted))
        .map(Nevra::to_string)
        .collect();
    names.into_iter().take(5).collect()
}
