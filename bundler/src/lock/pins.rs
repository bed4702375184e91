//! The packages that must stay in the version that is locked.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use bundle_format::Nevra;
use bundle_format::lock::{Lock, Why};

use crate::fetch::Fetch;
use crate::rpm::closure::{Request, Universe};
use crate::rpm::package::Package;
use crate::rpm::repository::Repository;
use crate::rpm::resolve::{Goal, Resolution, ResolveError, resolve};

/// What of a target's packages must stay in the version that is locked.
pub(super) struct Pins {
    /// The locked versions that are still offered, by name and architecture.
    locked: HashMap<(String, String), HashSet<Nevra>>,
    /// Those that must not stay, since they are to move and there are newer ones.
    outdated: HashSet<Nevra>,
    /// Those that may be in any version: they are to move, or the spec asks for another
    /// by now.
    pub(super) free: BTreeSet<String>,
}

impl Pins {
    /// The pins of a target's packages in `lock`, but of those called by `moving`.
    pub(super) fn new(
        lock: &Lock,
        moving: &BTreeSet<String>,
        target: &str,
        repositories: &[Repository],
        goal: &Goal<'_>,
    ) -> Self {
        let offered: HashMap<(&str, &str), Vec<(u32, &Nevra)>> = repositories
            .iter()
            .flat_map(|own| own.packages.iter().map(move |package| (own, package)))
            .filter(|(own, package)| !(goal.excluded)(own, package))
            .fold(HashMap::new(), |mut offered, (own, package)| {
                let nevra = &package.nevra;
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
            // Of a package that the spec asks for in one version, another build at most.
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
        let others = |own: &Repository, package: &Package| {
            (goal.excluded)(own, package) || !locked.contains(&package.nevra)
        };
        let universe = Universe::new(repositories, goal.architecture, others);
        let requests = goal.requests.iter();
        let unanswered = requests.filter(|request| request.candidates(&universe).is_empty());
        let names: Vec<String> = unanswered.filter_map(name_of).collect();
        pins.free.extend(names);
        pins
    }

    /// Solves with all pins but those of `free`; with none where that is none.
    pub(super) fn solve(
        &self,
        fetch: &dyn Fetch,
        repositories: &mut [Repository],
        goal: &Goal<'_>,
        free: Option<&BTreeSet<String>>,
    ) -> Result<Resolution, ResolveError> {
        let excluded = |repository: &Repository, package: &Package| {
            let nevra = &package.nevra;
            (goal.excluded)(repository, package)
                || self.outdated.contains(nevra)
                || free.is_some_and(|free| self.is_another(nevra, free) && !repository.is_node())
        };
        let goal = Goal { excluded: &excluded, baseline: goal.baseline.clone(), ..*goal };
        resolve(fetch, repositories, &goal)
    }

    /// Whether it is another version of a package that stays.
    fn is_another(&self, nevra: &Nevra, free: &BTreeSet<String>) -> bool {
        let locked = self.locked.get(&(nevra.name.clone(), nevra.arch.clone()));
        locked.is_some_and(|locked| !locked.contains(nevra)) && !free.contains(&nevra.name)
    }
}

/// The name that a request begins with.
fn name_of(request: &Request) -> Option<String> {
    request.text.split([' ', '=', '<', '>']).next().map(str::to_owned)
}

/// Whether other versions might do.
pub(super) fn is_conflict(error: &ResolveError) -> bool {
    use ResolveError::{Core, Hidden, Unsolvable};
    matches!(error, Unsolvable(_) | Hidden { .. } | Core(_))
}

/// For each package by name those that it requires or that require it, before or
/// after.
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
