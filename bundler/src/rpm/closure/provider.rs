//! The adapter to `resolvo`. Packages become solvables, and every RPM rule becomes an
//! explicit set of candidates. So the meaning of the rules stays here, and the
//! library does only the search.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Display;
use std::rc::Rc;

use resolvo::utils::{Pool, VersionSet};
use resolvo::{
    Candidates, Condition, ConditionId, ConditionalRequirement, Dependencies, DependencyProvider,
    Interner, KnownDependencies, LogicalOperator, NameId, Requirement, SolvableId, SolverCache,
    StringId, VersionSetId, VersionSetUnionId,
};

use super::clause::{self, Clause};
use super::installed::Installed;
use super::policy::{self, Preference};
use super::universe::{Id, Universe};
use crate::rpm::dependency::Dependency;

/// A condition of a rich dependency can be true in many ways, and the search stores
/// each of them. A condition with more ways than this is refused.
const MAX_WAYS: usize = 4096;

/// A set of packages of one name, with words for a conflict report.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Allowed {
    ids: Rc<BTreeSet<Id>>,
    words: Rc<str>,
}

impl VersionSet for Allowed {
    type V = Shown;
}

/// A package in a conflict report.
struct Shown {
    id: Id,
    words: String,
}

impl Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.words)
    }
}

/// The requirements made for one set of packages, by their words.
type ByWords = HashMap<Box<str>, Requirement>;

/// Answers the solver's questions.
pub(super) struct Provider<'a> {
    universe: &'a Universe<'a>,
    pool: Pool<Allowed>,
    /// The packages that the search has met.
    solvables: RefCell<HashMap<Id, SolvableId>>,
    preference: &'a Preference,
    /// The packages whose requirements are assumed to be met, because they are on
    /// the node already.
    settled: HashSet<Id>,
    /// The packages that were requested by name or architecture.
    requested: HashSet<Id>,
    nothing: NameId,
    conditional: Cell<bool>,
    /// The requirements made for sets of packages, by their words.
    known: RefCell<HashMap<Box<[Id]>, ByWords>>,
}

impl<'a> Provider<'a> {
    pub(super) fn new(
        universe: &'a Universe<'a>,
        installed: &Installed,
        preference: &'a Preference,
        requested: HashSet<Id>,
    ) -> Self {
        let pool = Pool::new();
        let nothing = pool.intern_package_name("(nothing provides it)".to_owned());
        Self {
            universe,
            pool,
            solvables: RefCell::default(),
            preference,
            settled: installed.settled.clone(),
            requested,
            nothing,
            conditional: Cell::new(false),
            known: RefCell::default(),
        }
    }

    fn solvable(&self, id: Id) -> SolvableId {
        *self.solvables.borrow_mut().entry(id).or_insert_with(|| {
            let name = self.pool.intern_package_name(self.universe.key(id).to_owned());
            let words = self.universe.nevra(id).to_string();
            self.pool.intern_solvable(name, Shown { id, words })
        })
    }

    pub(super) fn package(&self, solvable: SolvableId) -> Id {
        self.pool.resolve_solvable(solvable).record.id
    }

    /// Whether there was a requirement with a condition.
    pub(super) fn is_conditional(&self) -> bool {
        self.conditional.get()
    }

    /// The requirement that one of `ids` is installed. `words` say what requires
    /// it.
    pub(super) fn any_of(&self, ids: Vec<Id>, words: &str) -> ConditionalRequirement {
        let requirement = self.requirement(&ids, words);
        ConditionalRequirement { condition: None, requirement }
    }

    /// The requirements of `dependency` of the package `id`, made from its
    /// `clauses`. If these are too many, an error that says so.
    fn requirements(
        &self,
        id: Id,
        clauses: Option<Vec<Clause>>,
        dependency: &Dependency,
        words: &str,
    ) -> Result<Vec<ConditionalRequirement>, String> {
        let involved = || {
            let text: String = dependency.to_string().chars().take(200).collect();
            format!("its dependency `{text}` is too involved to solve")
        };
        let mut requirements = Vec::new();
        for clause in clauses.ok_or_else(involved)? {
            // A package that itself provides what it requires needs no
            // other.
            if clause.any.contains(&id) {
                continue;
            }
            let condition = self.condition(&clause.given, words).ok_or_else(involved)?;
            let requirement = self.requirement(&clause.any, words);
            requirements.push(ConditionalRequirement { condition, requirement });
        }
        Ok(requirements)
    }

    /// The requirement for a set. It is made once, because thousands of packages
    /// may require the same thousands of others.
    fn requirement(&self, ids: &[Id], words: &str) -> Requirement {
        let known = self.known.borrow().get(ids).and_then(|known| known.get(words)).copied();
        known.unwrap_or_else(|| {
            let made = self.made(ids, words);
            let mut known = self.known.borrow_mut();
            known.entry(ids.into()).or_default().insert(words.into(), made);
            made
        })
    }

    fn made(&self, ids: &[Id], words: &str) -> Requirement {
        let ordered = policy::order(self.universe, self.preference, ids);
        let runs = ordered.chunk_by(|a, b| self.universe.key(*a) == self.universe.key(*b));
        let mut sets = runs.map(|run| self.set_of(run, words));
        match (sets.next(), sets.next()) {
            (None, _) => self.set(self.nothing, BTreeSet::new(), words).into(),
            (Some(only), None) => only.into(),
            (Some(first), Some(second)) => {
                let others = std::iter::once(second).chain(sets);
                self.pool.intern_version_set_union(first, others).into()
            }
        }
    }

    /// The condition that one package of each set in `given` is installed. `None`
    /// if it would make too much work for the search.
    fn condition(&self, given: &[Vec<Id>], words: &str) -> Option<Option<ConditionId>> {
        let given: Vec<Vec<Vec<Id>>> = given.iter().map(|ids| self.by_name(ids)).collect();
        let ways = given.iter().try_fold(1usize, |ways, names| {
            ways.checked_mul(names.len()).filter(|ways| *ways <= MAX_WAYS)
        })?;
        if ways * given.len() > MAX_WAYS {
            return None;
        }
        let one = |names: &Vec<Vec<Id>>| {
            let sets = names.iter().map(|ids| self.set_of(ids, words));
            let conditions =
                sets.map(|set| self.pool.intern_condition(Condition::Requirement(set)));
            self.joined(LogicalOperator::Or, conditions.collect())
        };
        let condition = self.joined(LogicalOperator::And, given.iter().filter_map(one).collect());
        if condition.is_some() {
            self.conditional.set(true);
        }
        Some(condition)
    }

    /// Joins all conditions in a tree that is as flat as possible, because the
    /// search walks down in it.
    fn joined(
        &self,
        operator: LogicalOperator,
        conditions: Vec<ConditionId>,
    ) -> Option<ConditionId> {
        let mut conditions = conditions;
        while conditions.len() > 1 {
            let pair = |pair: &[ConditionId]| match pair {
                [a, b] => Some(self.pool.intern_condition(Condition::Binary(operator, *a, *b))),
                alone => alone.first().copied(),
            };
            conditions = conditions.chunks(2).filter_map(pair).collect();
        }
        conditions.first().copied()
    }

    /// `ids` in groups of one name.
    fn by_name(&self, ids: &[Id]) -> Vec<Vec<Id>> {
        let mut by_name: BTreeMap<&str, Vec<Id>> = BTreeMap::new();
        for id in ids {
            by_name.entry(self.universe.key(*id)).or_default().push(*id);
        }
        by_name.into_values().collect()
    }

    /// The set of these packages. They have one name, and there is at least one.
    fn set_of(&self, ids: &[Id], words: &str) -> VersionSetId {
        let name = match ids.first() {
            Some(id) => self.pool.intern_package_name(self.universe.key(*id).to_owned()),
            None => self.nothing,
        };
        self.set(name, ids.iter().copied().collect(), words)
    }

    fn set(&self, name: NameId, ids: BTreeSet<Id>, words: &str) -> VersionSetId {
        // The report writes the name before these words.
        let words = if *self.pool.resolve_package_name(name) == words {
            String::new()
        } else {
            format!("for {words}")
        };
        self.pool.intern_version_set(name, Allowed { ids: Rc::new(ids), words: words.into() })
    }

    /// The packages that `id` excludes: those that its conflicts name, and those
    /// that it obsoletes by name.
    fn constraints(&self, id: Id, known: &mut KnownDependencies) -> Result<(), String> {
        let package = self.universe.package(id);
        let mut banned = Banned { universe: self.universe, id, by_key: BTreeMap::new() };
        // If a package is installed for two architectures, both must have the
        // same version.
        for other in self.universe.named(&package.nevra.name) {
            if self.universe.nevra(*other).evr != package.nevra.evr {
                banned.add(*other, format!("because its version is not that of {}", package.nevra));
            }
        }
        for obsolete in &package.obsoletes {
            for other in self.universe.obsoleted(obsolete) {
                banned.add(*other, format!("because {} obsoletes {obsolete}", package.nevra));
            }
        }
        for conflict in &package.conflicts {
            let involved = banned.conflict(conflict);
            let words = format!("conflict {conflict}");
            known.requirements.extend(self.requirements(id, involved, conflict, &words)?);
        }
        for (name, (ids, words)) in banned.by_key {
            let name = self.pool.intern_package_name(name.to_owned());
            let rest: BTreeSet<Id> = self
                .candidates_of(name)
                .into_iter()
                .map(|solvable| self.package(solvable))
                .filter(|other| !ids.contains(other))
                .collect();
            let allowed = Allowed { ids: Rc::new(rest), words: words.into() };
            known.constrains.push(self.pool.intern_version_set(name, allowed));
        }
        Ok(())
    }

    fn candidates_of(&self, name: NameId) -> Vec<SolvableId> {
        let key = self.pool.resolve_package_name(name);
        let plain = key.rsplit_once('.').map_or("", |(plain, _)| plain);
        self.universe
            .named(key)
            .iter()
            .chain(self.universe.named(plain))
            .filter(|id| self.universe.key(**id) == key)
            .map(|id| self.solvable(*id))
            .collect()
    }
}

/// The packages that one package excludes, by name. The words are about the first of
/// each name.
struct Banned<'a> {
    universe: &'a Universe<'a>,
    id: Id,
    by_key: BTreeMap<&'a str, (BTreeSet<Id>, String)>,
}

impl Banned<'_> {
    /// Adds a package, except one of the same name: these exclude each other
    /// anyway.
    fn add(&mut self, other: Id, words: String) {
        let key = self.universe.key(other);
        if key != self.universe.key(self.id) {
            self.by_key.entry(key).or_insert((BTreeSet::new(), words)).0.insert(other);
        }
    }

    /// Adds the single packages that a conflict excludes. Gives the clauses about
    /// several packages. `None` if there are too many.
    fn conflict(&mut self, conflict: &Dependency) -> Option<Vec<Clause>> {
        let nevra = &self.universe.package(self.id).nevra;
        let mut involved = Vec::new();
        for clause in clause::forbidden(self.universe, conflict)? {
            match clause.given.as_slice() {
                [single] if clause.any.is_empty() => {
                    for other in single {
                        self.add(*other, format!("because {nevra} conflicts with {conflict}"));
                    }
                }
                _ => involved.push(clause),
            }
        }
        Some(involved)
    }
}

impl Interner for Provider<'_> {
    type SolvableId = SolvableId;
    type NameId = NameId;

    fn display_solvable(&self, solvable: SolvableId) -> impl Display + '_ {
        &self.pool.resolve_solvable(solvable).record
    }

    fn display_merged_solvables(&self, solvables: &[SolvableId]) -> impl Display + '_ {
        let mut words: Vec<String> = solvables
            .iter()
            .map(|id| self.pool.resolve_solvable(*id).record.words.clone())
            .collect();
        words.sort();
        words.join(" | ")
    }

    fn display_name(&self, name: NameId) -> impl Display + '_ {
        self.pool.resolve_package_name(name)
    }

    fn display_version_set(&self, version_set: VersionSetId) -> impl Display + '_ {
        &self.pool.resolve_version_set(version_set).words
    }

    fn display_string(&self, string: StringId) -> impl Display + '_ {
        self.pool.resolve_string(string)
    }

    fn version_set_name(&self, version_set: VersionSetId) -> NameId {
        self.pool.resolve_version_set_package_name(version_set)
    }

    fn solvable_name(&self, solvable: SolvableId) -> NameId {
        self.pool.resolve_solvable(solvable).name
    }

    fn version_sets_in_union(
        &self,
        union: VersionSetUnionId,
    ) -> impl Iterator<Item = VersionSetId> {
        self.pool.resolve_version_set_union(union)
    }

    fn resolve_condition(&self, condition: ConditionId) -> Condition {
        self.pool.resolve_condition(condition).clone()
    }
}

impl DependencyProvider for Provider<'_> {
    async fn filter_candidates(
        &self,
        candidates: &[SolvableId],
        version_set: VersionSetId,
        inverse: bool,
    ) -> Vec<SolvableId> {
        let allowed = &self.pool.resolve_version_set(version_set).ids;
        // All allowed packages have this name, so the others need not be
        // checked. There may be thousands of packages, and as many sets.
        if !inverse {
            return allowed.iter().map(|id| self.solvable(*id)).collect();
        }
        candidates
            .iter()
            .copied()
            .filter(|candidate| allowed.contains(&self.package(*candidate)) != inverse)
            .collect()
    }

    async fn get_candidates(&self, name: NameId) -> Option<Candidates> {
        let candidates = self.candidates_of(name);
        let favored = candidates
            .iter()
            .copied()
            .find(|id| self.preference.installed.contains(&self.package(*id)));
        Some(Candidates { candidates, favored, ..Candidates::default() })
    }

    async fn sort_candidates(&self, _solver: &SolverCache<Self>, solvables: &mut [SolvableId]) {
        solvables.sort_by(|a, b| {
            let installed = &self.preference.installed;
            policy::compare(self.universe, installed, self.package(*a), self.package(*b))
        });
    }

    async fn get_dependencies(&self, solvable: SolvableId) -> Dependencies {
        let id = self.package(solvable);
        let mut known = KnownDependencies::default();
        if !self.settled.contains(&id) {
            for dependency in &self.universe.package(id).requires {
                let clauses = clause::required(self.universe, dependency);
                match self.requirements(id, clauses, dependency, &dependency.to_string()) {
                    Ok(requirements) => known.requirements.extend(requirements),
                    Err(words) => return Dependencies::Unknown(self.pool.intern_string(words)),
                }
            }
        }
        let companions = policy::companions(self.universe, id);
        if !companions.is_empty() && !self.requested.contains(&id) {
            let words = format!("{} beside its other architecture", self.universe.key(id));
            known.requirements.push(self.any_of(companions, &words));
        }
        match self.constraints(id, &mut known) {
            Ok(()) => Dependencies::Known(known),
            Err(words) => Dependencies::Unknown(self.pool.intern_string(words)),
        }
    }
}
