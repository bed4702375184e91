//! The rules for a draft: which packages exclude each other, and which sets of
//! packages a package needs one of.

use std::collections::{HashMap, HashSet};

use super::exclusions::Exclusions;
use super::installed::Installed;
use super::universe::{Id, Universe};
use super::{clause, policy};

/// The most packages in all sets together: some hundred for each package of a large
/// distribution.
const MAX_SIZE: usize = 1 << 23;

/// If `owner` and one package of each set in `given` are taken, one package of the
/// set `any` is needed.
#[derive(Debug)]
pub(super) struct Rule {
    /// `None` for a request.
    pub owner: Option<Id>,
    /// The position of the set of packages. One of them is enough.
    pub any: usize,
    /// The positions of the condition's sets. Empty if there is no condition.
    pub given: Vec<usize>,
}

/// Packages that some rules name together. Many versions of a package need the same,
/// so there are far fewer sets than rules.
#[derive(Debug, Default)]
pub(super) struct Set {
    pub ids: Vec<Id>,
    /// The packages that need one of them unconditionally.
    pub owners: Vec<Option<Id>>,
}

/// All rules about the packages that may be installed.
pub(super) struct Rules<'a> {
    pub rules: Vec<Rule>,
    pub sets: Vec<Set>,
    /// The positions of each package's rules.
    pub of_owner: HashMap<Id, Vec<usize>>,
    /// The positions of the sets that contain each package.
    pub sets_of: HashMap<Id, Vec<usize>>,
    /// Which packages exclude each other.
    pub exclusions: Exclusions<'a>,
}

impl<'a> Rules<'a> {
    /// The rules for `wanted`. One package of each of its sets must be installed.
    /// `None` if there are more rules than in any real repository.
    pub(super) fn new(
        universe: &'a Universe<'a>,
        installed: &Installed,
        wanted: &[Vec<Id>],
    ) -> Option<Self> {
        let mut making = Making::default();
        for any in wanted {
            making.add(None, any.clone(), Vec::new());
        }
        let requested: HashSet<Id> = wanted.iter().flatten().copied().collect();
        let mut reached = requested.clone();
        let mut pending: Vec<Id> = requested.iter().copied().collect();
        pending.sort_unstable();
        while let Some(id) = pending.pop() {
            making.of_package(universe, installed, &requested, id);
            if making.size > MAX_SIZE {
                return None;
            }
            for set in std::mem::take(&mut making.new) {
                let ids = making.sets.get(set).map(|set| set.ids.as_slice()).unwrap_or_default();
                pending.extend(ids.iter().copied().filter(|other| reached.insert(*other)));
            }
        }
        let mut sets_of: HashMap<Id, Vec<usize>> = HashMap::new();
        for (place, set) in making.sets.iter().enumerate() {
            set.ids.iter().for_each(|id| sets_of.entry(*id).or_default().push(place));
        }
        Some(Self {
            rules: making.rules,
            sets: making.sets,
            of_owner: making.of_owner,
            sets_of,
            exclusions: Exclusions::new(universe, reached.into_iter()),
        })
    }
}

#[derive(Default)]
struct Making {
    rules: Vec<Rule>,
    sets: Vec<Set>,
    places: HashMap<Vec<Id>, usize>,
    of_owner: HashMap<Id, Vec<usize>>,
    /// The number of packages in all sets.
    size: usize,
    /// The sets that a package needs, and below it those that have not been
    /// walked into.
    needed: HashSet<usize>,
    new: Vec<usize>,
}

impl Making {
    fn add(&mut self, owner: Option<Id>, any: Vec<Id>, given: Vec<Vec<Id>>) {
        let any = self.set(any);
        if self.needed.insert(any) {
            self.new.push(any);
        }
        let given: Vec<usize> = given.into_iter().map(|ids| self.set(ids)).collect();
        if let Some(owner) = owner {
            self.of_owner.entry(owner).or_default().push(self.rules.len());
        }
        if given.is_empty()
            && let Some(set) = self.sets.get_mut(any)
        {
            set.owners.push(owner);
        }
        self.rules.push(Rule { owner, any, given });
    }

    fn set(&mut self, ids: Vec<Id>) -> usize {
        if let Some(place) = self.places.get(&ids) {
            return *place;
        }
        self.size += ids.len();
        let place = self.sets.len();
        self.sets.push(Set { ids: ids.clone(), owners: Vec::new() });
        self.places.insert(ids, place);
        place
    }

    fn of_package(
        &mut self,
        universe: &Universe,
        installed: &Installed,
        requested: &HashSet<Id>,
        id: Id,
    ) {
        if !installed.settled.contains(&id) {
            let requires = universe.package(id).requires.iter();
            let clauses =
                requires.filter_map(|wanted| clause::required(universe, wanted)).flatten();
            for clause in clauses.filter(|clause| !clause.any.contains(&id)) {
                self.add(Some(id), clause.any, clause.given);
            }
        }
        let companions = policy::companions(universe, id);
        if !companions.is_empty() && !requested.contains(&id) {
            self.add(Some(id), companions, Vec::new());
        }
    }
}
