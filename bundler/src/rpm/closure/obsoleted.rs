//! Which of some packages are removed, because others of them replace them.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use super::universe::{Id, Universe};

/// The packages of `ids` that another of them obsoletes, directly or through others,
/// if they do not obsolete it in turn (`prune_obsoleted`).
pub(super) fn within(universe: &Universe, ids: &[Id]) -> HashSet<Id> {
    let obsoletes = |id: &Id| &universe.package(*id).obsoletes;
    if ids.len() < 2 || ids.iter().all(|id| obsoletes(id).is_empty()) {
        return HashSet::new();
    }
    let mut by_name: HashMap<&str, Vec<Id>> = HashMap::new();
    for id in ids {
        by_name.entry(&universe.nevra(*id).name).or_default().push(*id);
    }
    let targets = |id: Id| {
        let about = obsoletes(&id).iter().flat_map(|wanted| {
            let named = by_name.get(wanted.name.as_str()).into_iter().flatten().copied();
            let is_meant = |other: &Id| {
                let range = wanted.range.as_ref();
                range.is_none_or(|range| range.holds(&universe.nevra(*other).evr))
            };
            named.filter(is_meant)
        });
        about.filter(|other| universe.key(*other) != universe.key(id)).collect::<Vec<Id>>()
    };
    let targets: HashMap<Id, Vec<Id>> = ids.iter().map(|id| (*id, targets(*id))).collect();
    // Of packages that obsolete one another in a circle, none goes before another.
    let circle = circles(ids, &targets);
    let edges = targets.iter().flat_map(|(by, about)| about.iter().map(move |id| (by, id)));
    let gone: HashSet<usize> = edges
        .filter_map(|(by, id)| Some((*circle.get(by)?, *circle.get(id)?)))
        .filter(|(by, id)| by != id)
        .map(|(_, id)| id)
        .collect();
    ids.iter().copied().filter(|id| circle.get(id).is_some_and(|one| gone.contains(one))).collect()
}

/// Which packages lead to one another. Gives each the number of its circle (its
/// strongly connected component, found by Kosaraju's algorithm).
fn circles(ids: &[Id], targets: &HashMap<Id, Vec<Id>>) -> HashMap<Id, usize> {
    let mut seen = HashSet::new();
    let mut finished = Vec::new();
    for start in ids {
        let mut pending = vec![(*start, false)];
        while let Some((id, is_done)) = pending.pop() {
            if is_done {
                finished.push(id);
            } else if seen.insert(id) {
                pending.push((id, true));
                let next = targets.get(&id).into_iter().flatten();
                pending.extend(next.filter(|other| !seen.contains(other)).map(|id| (*id, false)));
            }
        }
    }
    let mut sources: HashMap<Id, Vec<Id>> = HashMap::new();
    for (by, about) in targets {
        about.iter().for_each(|id| sources.entry(*id).or_default().push(*by));
    }
    let mut circle = HashMap::new();
    for (number, start) in finished.into_iter().rev().enumerate() {
        let mut pending = vec![start];
        while let Some(id) = pending.pop() {
            if let Entry::Vacant(place) = circle.entry(id) {
                place.insert(number);
                pending.extend(sources.get(&id).into_iter().flatten());
            }
        }
    }
    circle
}
