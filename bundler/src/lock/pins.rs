//! The packages that must stay in their locked version.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use bundle_format::Nevra;
use bundle_format::lock::{Lock, Why};

use crate::fetch::Fetch;
use crate::rpm::closure::{Request, Universe};
use crate::rpm::repository::Repository;
use crate::rpm::resolve::{Goal, Resolution, ResolveError, resolve};

/// The packages of a target that must stay in their locked version.
pub(super) struct Pins {
    /// The locked versions that the repositories still offer, by name and
    /// architecture.
    locked: HashMap<(String, String), HashSet<Nevra>>,
    /// The locked versions that must not stay: the user upgrades these packages,
    /// and newer versions exist.
    outdated: HashSet<Nevra>,
    /// The names of packages that may have any version: the user upgrades them,
    /// or the spec now asks for another version.
    pub(super) free: BTreeSet<String>,
}

impl Pins {
    /// The pins of a target's packages in `lock`, except those whose names are in
    /// `moving`.
    pub(super) fn new(
        lock: &Lock,
        moving: &BTreeSet<String>,
        target: &str,
        repositories: &[Repository],
        goal: &Goal<'_>,
    ) -> Self {
        let offered: HashMap<(&str, &str), Vec<(u32, &Nevra)>> = repositories
            .iter()
            .flat_map(|own| own.packages.nevras().iter().map(move |nevra| (own, nevra)))
            .filter(|(own, nevra)| !(goal.excluded)(own, nevra))
            .fold(HashMap::new(), |mut offered, (own, nevra)| {
                let key = (nevra.name.as_str(), nevra.arch.as_str());
                offered.entry(key).or_insert_with(Vec::new).push((own.priority, nevra));
                offered
            });
        let (locked, outdated, free) = (HashMap::new(), HashSet::new(), moving.clone());
        let mut pins = Self { locked, outdated, free };
        for rpm in lock.rpms.iter().filter(|rpm| rpm.target == target) {
            let own = &rpm.package;
            let others = offered.get(&(own.name.as_str(), own.arch.as_str()));
            let others = others.map(Vec::as_slice).unwrap_or_default();
            let Some((first, _)) = others.iter().find(|(_, nevra)| *nevra == own) else { continue };
            let key = (own.name.clone(), own.arch.clone());
            pins.locked.entry(key).or_default().insert(own.clone());
            // If the spec asks for one version, only another build of it
            // can be newer.
            let one_version = goal.requests.iter().any(|request| {
                name_of(request).as_ref() == Some(&own.name) && request.text != own.name
            });
            let newer = others.iter().any(|(priority, nevra)| {
                priority <= first
                    && nevra.evr > own.evr
                    && (!one_version || nevra.evr.version == own.evr.version)
            });
            if newer && moving.contains(&own.name) {
                pins.outdated.insert(own.clone());
            }
        }
        let locked: HashSet<&Nevra> = pins.locked.values().flatten().collect();
        let others = |own: &Repository, place: usize| {
            let nevra = own.packages.nevras().get(place);
            nevra.is_none_or(|nevra| (goal.excluded)(own, nevra) || !locked.contains(nevra))
        };
        let universe = Universe::new(repositories, goal.architecture, others);
        let requests = goal.requests.iter();
        let unanswered = requests.filter(|request| request.candidates(&universe).is_empty());
        let names: Vec<String> = unanswered.filter_map(name_of).collect();
        pins.free.extend(names);
        pins
    }

    /// Solves with the pins of all packages that are not in `free`, or with no
    /// pins if `free` is `None`.
    pub(super) fn solve(
        &self,
        fetch: &dyn Fetch,
        repositories: &mut [Repository],
        goal: &Goal<'_>,
        free: Option<&BTreeSet<String>>,
    ) -> Result<Resolution, ResolveError> {
        let excluded = |repository: &Repository, nevra: &Nevra| {
            (goal.excluded)(repository, nevra)
                || self.outdated.contains(nevra)
                || free.is_some_and(|free| self.is_another(nevra, free) && !repository.is_node())
        };
        let goal = Goal { excluded: &excluded, baseline: goal.baseline.clone(), ..*goal };
        resolve(fetch, repositories, &goal)
    }

    /// Whether the lock has other versions of this package, and it must stay as locked.
    fn is_another(&self, nevra: &Nevra, free: &BTreeSet<String>) -> bool {
        let locked = self.locked.get(&(nevra.name.clone(), nevra.arch.clone()));
        locked.is_some_and(|locked| !locked.contains(nevra)) && !free.contains(&nevra.name)
    }
}

/// The package name at the beginning of a request.
fn name_of(request: &Request) -> Option<String> {
    request.text.split([' ', '=', '<', '>']).next().map(str::to_owned)
}

/// Whether other versions of the packages might solve the problem.
pub(super) fn is_conflict(error: &ResolveError) -> bool {
    use ResolveError::{Core, Hidden, Unsolvable};
    matches!(error, Unsolvable(_) | Hidden { .. } | Core(_))
}

/// For each package name, the names of the packages that it requires or that require
/// it, in the lock or in the new solution.
pub(super) fn neighbours(
    lock: &Lock,
    target: &str,
    after: &Resolution,
) -> BTreeMap<String, BTreeSet<String>> {
    let mut near: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut join = |a: &str, b: &str| {
        near.entry(a.to_owned()).or_default().insert(b.to_owned());
        near.entry(b.to_owned()).or_default().insert(a.to_owned());
    };
    for rpm in lock.rpms.iter().filter(|rpm| rpm.target == target) {
        for why in &rpm.why {
            if let Why::Requires { package, .. } = why {
                join(&rpm.package.name, &package.name);
            }
        }
    }
    for chosen in &after.packages {
        for (by, _) in &chosen.required_by {
            join(&chosen.package.nevra.name, &by.name);
        }
    }
    near
}
