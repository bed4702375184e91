//! The packages that may answer a request, or replace another package.

use std::collections::{BTreeSet, HashMap, HashSet};

use bundle_format::Nevra;

use super::installed::Installed;
use super::policy;
use super::request::Request;
use super::solution::Unsolvable;
use super::universe::{Id, Universe};
use crate::rpm::dependency::Capability;

/// The packages that may answer a request. A package on the node answers a request
/// for any version.
pub(super) fn candidates(
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
    // A package that another one has replaced is answered by that one.
    if named.is_empty() || request.repository.is_some() {
        return Ok(candidates);
    }
    // As in dnf, a package that obsoletes one of that name answers too. If it
    // obsoletes the best of them, it is the only answer.
    let mut all = request.answers(universe);
    all.extend(obsoleters(universe, named));
    all.sort_unstable();
    all.dedup();
    Ok(policy::best(universe, &all))
}

/// The packages of another name that obsolete one of `ids`, which all have one name.
/// For each of `ids`, the newest of each name.
fn obsoleters(universe: &Universe, ids: &[Id]) -> Vec<Id> {
    let Some(first) = ids.first() else { return Vec::new() };
    let mut by_key: HashMap<&str, Vec<(Id, &Capability)>> = HashMap::new();
    for (other, wanted) in universe.obsoleting(&universe.nevra(*first).name) {
        by_key.entry(universe.key(other)).or_default().push((other, wanted));
    }
    let none = HashSet::new();
    let mut found = BTreeSet::new();
    for (key, mut others) in by_key {
        others.sort_by(|(a, _), (b, _)| policy::compare(universe, &none, *a, *b));
        let own = ids.iter().copied().filter(|id| universe.key(*id) != key);
        let mut open: BTreeSet<Id> = own.collect();
        for (other, wanted) in others {
            // The packages of one name are next to each other.
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

/// The packages that may replace `id`: itself, a newer version, or one that obsoletes
/// it.
pub(super) fn successors(universe: &Universe, id: Id) -> Vec<Id> {
    let own = &universe.nevra(id).evr;
    let mut ids = vec![id];
    ids.extend(
        universe
            .named(&universe.nevra(id).name)
            .iter()
            .copied()
            .filter(|other| universe.key(*other) == universe.key(id))
            .filter(|other| universe.nevra(*other).evr > *own),
    );
    ids.extend(obsoleters(universe, &[id]));
    ids
}

fn similar(universe: &Universe, text: &str) -> Vec<String> {
    let wanted = text.split([' ', '>', '<', '=']).next().unwrap_or(text).to_lowercase();
    let names: BTreeSet<String> = universe
        .ids()
        .map(|id| universe.nevra(id))
        .filter(|nevra| wanted.len() > 2 && nevra.name.to_lowercase().contains(&wanted))
        .map(Nevra::to_string)
        .collect();
    names.into_iter().take(5).collect()
}
