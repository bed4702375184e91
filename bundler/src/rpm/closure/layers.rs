//! Packages in layers: the best of them, then the best of the rest, and so on.

use std::collections::BTreeMap;

use super::obsoleted;
use super::universe::{Id, Universe};

/// Puts each package of `ids` in one layer. The first layer is
/// [`super::policy::best`] of all, the next one is that of the rest. They are made in
/// one pass, because there may be as many layers as a package has versions.
pub(super) fn layers(universe: &Universe, ids: &[Id]) -> Vec<Vec<Id>> {
    let mut by_priority: BTreeMap<u32, Vec<Id>> = BTreeMap::new();
    for id in ids {
        by_priority.entry(universe.repository(*id).priority).or_default().push(*id);
    }
    let mut layers = Vec::new();
    for ids in by_priority.into_values() {
        let mut left = Left::new(universe, ids);
        while let Some(layer) = left.next() {
            layers.push(layer);
        }
    }
    layers
}

/// The packages of one priority that are in no layer yet.
struct Left<'a> {
    universe: &'a Universe<'a>,
    /// The packages to choose from, by name. The newest is last.
    open: BTreeMap<&'a str, Vec<Id>>,
    /// How many of them have an architecture.
    of_arch: usize,
    /// The packages of architectures that come later, the nearest first.
    later: BTreeMap<u8, Vec<Id>>,
}

impl<'a> Left<'a> {
    fn new(universe: &'a Universe<'a>, ids: Vec<Id>) -> Self {
        let mut left = Self { universe, open: BTreeMap::new(), of_arch: 0, later: BTreeMap::new() };
        let mut anywhere = Vec::new();
        for id in ids {
            match universe.distance(id) {
                Some(distance) => left.later.entry(distance).or_default().push(id),
                None => anywhere.push(id),
            }
        }
        left.open(anywhere);
        left
    }

    fn open(&mut self, ids: Vec<Id>) {
        for id in ids {
            self.open.entry(&self.universe.nevra(id).name).or_default().push(id);
        }
        let evr = |id: &Id| &self.universe.nevra(*id).evr;
        for ids in self.open.values_mut() {
            ids.sort_by(|a, b| evr(a).cmp(evr(b)));
        }
    }

    fn next(&mut self) -> Option<Vec<Id>> {
        if self.of_arch == 0
            && let Some((_, nearest)) = self.later.pop_first()
        {
            self.of_arch = nearest.len();
            self.open(nearest);
        }
        let evr = |id: &Id| &self.universe.nevra(*id).evr;
        let mut layer = Vec::new();
        for ids in self.open.values_mut() {
            let newest = ids.last().map(evr);
            let start = ids.partition_point(|id| Some(evr(id)) < newest);
            layer.extend(ids.drain(start..));
        }
        layer.sort_unstable();
        let obsoleted = obsoleted::within(self.universe, &layer);
        layer.retain(|id| !obsoleted.contains(id));
        // Each was the newest of its name.
        for id in obsoleted {
            self.open.entry(&self.universe.nevra(id).name).or_default().push(id);
        }
        self.open.retain(|_, ids| !ids.is_empty());
        let of_arch = layer.iter().filter(|id| self.universe.distance(**id).is_some());
        self.of_arch = self.of_arch.saturating_sub(of_arch.count());
        (!layer.is_empty()).then_some(layer)
    }
}
