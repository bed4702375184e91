//! Which packages exclude each other.

use std::collections::{HashMap, HashSet};

use super::clause;
use super::universe::{Id, Universe};
use crate::rpm::dependency::{Capability, Dependency};

/// The exclusions that packages declare, found by the package that they are about.
/// Pairs are made only for packages that are taken, because all versions of two
/// packages would make too many.
pub(super) struct Exclusions<'a> {
    universe: &'a Universe<'a>,
    /// Conflicts, by the name that nobody may provide.
    conflicts: HashMap<&'a str, Vec<(Id, &'a Capability)>>,
    /// The packages that obsolete something.
    obsoleting: HashSet<Id>,
    /// The packages whose Boolean conflicts exclude a package, by that package.
    involved: HashMap<Id, Vec<Id>>,
}

impl<'a> Exclusions<'a> {
    /// The exclusions that `ids` declare.
    pub(super) fn new(universe: &'a Universe<'a>, ids: impl Iterator<Item = Id>) -> Self {
        let mut all = Self {
            universe,
            conflicts: HashMap::new(),
            obsoleting: HashSet::new(),
            involved: HashMap::new(),
        };
        for id in ids {
            let package = universe.package(id);
            for conflict in &package.conflicts {
                match conflict {
                    Dependency::Capability(capability) => {
                        let sayers = all.conflicts.entry(&capability.name).or_default();
                        sayers.push((id, capability));
                    }
                    _ => {
                        for other in banned(universe, conflict) {
                            all.involved.entry(other).or_default().push(id);
                        }
                    }
                }
            }
            if !package.obsoletes.is_empty() {
                all.obsoleting.insert(id);
            }
        }
        all
    }

    /// The packages that exclude `id` or that it excludes. `id` is one of those
    /// given to [`Self::new`].
    pub(super) fn beside(&self, id: Id) -> Vec<Id> {
        let universe = self.universe;
        let package = universe.package(id);
        let named = universe.named(&package.nevra.name).iter().copied();
        let versions = named.filter(|other| {
            let same = universe.key(*other) == universe.key(id);
            *other != id && (same || universe.nevra(*other).evr != package.nevra.evr)
        });
        // What it declares itself, and what others declare about it.
        let banned = package.conflicts.iter().flat_map(|wanted| banned(universe, wanted));
        let obsoleted = package.obsoletes.iter().flat_map(|one| universe.obsoleted(one)).copied();
        let provided = package.provides.iter().flat_map(|provided| {
            let sayers = self.conflicts.get(provided.name.as_str()).into_iter().flatten();
            sayers.filter(|(_, wanted)| wanted.accepts(provided.range.as_ref()))
        });
        let files = package.files.iter().flat_map(|file| {
            let sayers = self.conflicts.get(file.as_str()).into_iter().flatten();
            sayers.filter(|(_, wanted)| wanted.range.is_none())
        });
        let obsoleting =
            universe.obsoleting(&package.nevra.name).into_iter().filter(|(by, wanted)| {
                let range = wanted.range.as_ref();
                self.obsoleting.contains(by)
                    && range.is_none_or(|range| range.holds(&package.nevra.evr))
            });
        let sayers = provided.chain(files).copied().chain(obsoleting).map(|(by, _)| by);
        let involved = self.involved.get(&id).into_iter().flatten().copied();
        let others = banned.chain(obsoleted).chain(sayers).chain(involved);
        let others = others.filter(|other| universe.key(*other) != universe.key(id));
        versions.chain(others).collect()
    }
}

/// The packages that a conflict with `wanted` excludes, without those that it
/// excludes only on a condition.
fn banned(universe: &Universe, wanted: &Dependency) -> Vec<Id> {
    let clauses = clause::forbidden(universe, wanted).into_iter().flatten();
    clauses
        .filter_map(|clause| match <[Vec<Id>; 1]>::try_from(clause.given) {
            Ok([single]) if clause.any.is_empty() => Some(single),
            _ => None,
        })
        .flatten()
        .collect()
}
