//! All packages that can be chosen, and what they provide.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use bundle_format::{Architecture, Nevra};

use crate::rpm::dependency::{Capability, Comparison, Dependency, Range};
use crate::rpm::package::Package;
use crate::rpm::packages::Packages;
use crate::rpm::repository::Repository;

/// A package's position in a [`Universe`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(u32);

/// The packages of some repositories that can run on an architecture, sorted by name.
pub struct Universe<'a> {
    entries: Vec<Entry<'a>>,
    ids: Vec<Id>,
    sources: Vec<Source<'a>>,
    /// For each package, the best one of the same name and architecture.
    leading: Vec<Id>,
    native: &'static str,
    /// Who provides a name, if it was asked for before.
    /// Thousands of packages may require what thousands of others provide.
    providing: RefCell<HashMap<String, Rc<[Id]>>>,
    provided: RefCell<HashMap<String, Rc<[Provided]>>>,
}

/// A package that provides a name, and the name's position among what it provides.
type Provided = (Id, usize);

/// A repository of a universe.
struct Source<'a> {
    repository: &'a Repository,
    /// Its packages by their places. `None` for those that are left out.
    ids: Vec<Option<Id>>,
}

struct Entry<'a> {
    nevra: &'a Nevra,
    repository: &'a Repository,
    /// The position of its repository among the sources.
    source: usize,
    /// Its place in the repository.
    place: usize,
    /// If its architecture is foreign, its name with the architecture behind it,
    /// because both can be installed side by side.
    foreign: Option<Box<str>>,
    distance: u8,
}

/// How far an architecture is from the node's own: rpm's `arch_compat`. `None` if its
/// packages do not run.
fn distance(native: Architecture, arch: &str) -> Option<u8> {
    match (native, arch) {
        (_, "noarch") => Some(0),
        (native, arch) if arch == native.rpm() => Some(0),
        (Architecture::X86_64, "i686" | "athlon") => Some(1),
        (Architecture::X86_64, "i586") => Some(2),
        (Architecture::X86_64, "i486") => Some(3),
        (Architecture::X86_64, "i386") => Some(4),
        _ => None,
    }
}

/// The order of packages in metadata means nothing. libsolv looks at packages in the order of
/// their names.
fn order(a: &Nevra, b: &Nevra) -> Ordering {
    let anywhere = |nevra: &Nevra| nevra.arch == "noarch";
    let by_name = a.name.cmp(&b.name).then_with(|| a.evr.cmp(&b.evr));
    by_name.then_with(|| anywhere(a).cmp(&anywhere(b)))
}

impl<'a> Universe<'a> {
    /// The packages of `repositories`, without those that `excluded` names by
    /// their places.
    pub fn new(
        repositories: impl IntoIterator<Item = &'a Repository>,
        architecture: Architecture,
        excluded: impl Fn(&Repository, usize) -> bool,
    ) -> Self {
        // Several repositories may have the same package. It is taken from the
        // one with the lowest priority number, and among equals from the
        // first.
        let mut ordered: Vec<&Repository> = repositories.into_iter().collect();
        ordered.sort_by_key(|repository| repository.priority);
        let mut entries = Vec::new();
        for (source, repository) in ordered.iter().copied().enumerate() {
            for (place, nevra) in repository.packages.nevras().iter().enumerate() {
                let Some(distance) = distance(architecture, &nevra.arch) else { continue };
                if excluded(repository, place) {
                    continue;
                }
                let foreign =
                    (distance > 0).then(|| format!("{}.{}", nevra.name, nevra.arch).into());
                entries.push(Entry { nevra, repository, source, place, foreign, distance });
            }
        }
        // Stable: what came first stays before the same package of another one.
        entries.sort_by(|a, b| order(a.nevra, b.nevra));
        let ids = (0..entries.len()).map(|place| Id(u32::try_from(place).unwrap_or(u32::MAX)));
        let sources = ordered.into_iter().map(|repository| {
            let ids = vec![None; repository.packages.len()];
            Source { repository, ids }
        });
        let entries = distinct(entries);
        let mut universe = Self {
            ids: ids.take(entries.len()).collect(),
            entries,
            sources: sources.collect(),
            leading: Vec::new(),
            native: architecture.rpm(),
            providing: RefCell::default(),
            provided: RefCell::default(),
        };
        universe.number();
        universe.lead();
        universe
    }

    /// Notes the id of each package at its place.
    fn number(&mut self) {
        for (entry, id) in self.entries.iter().zip(&self.ids) {
            let source = self.sources.get_mut(entry.source);
            let own = source.and_then(|source| source.ids.get_mut(entry.place));
            own.into_iter().for_each(|own| *own = Some(*id));
        }
    }

    /// Finds the best package of each name and architecture.
    fn lead(&mut self) {
        let mut leading = Vec::with_capacity(self.entries.len());
        for run in self.entries.chunk_by(|a, b| a.nevra.name == b.nevra.name) {
            let start = leading.len();
            let ids = self.ids.get(start..start + run.len()).unwrap_or_default();
            if let [only] = ids {
                leading.push(*only);
                continue;
            }
            let mut best: HashMap<&str, Id> = HashMap::new();
            for id in ids {
                let held = best.entry(&self.nevra(*id).arch).or_insert(*id);
                if self.age(*id) < self.age(*held) {
                    *held = *id;
                }
            }
            let of = |id: &Id| best.get(self.nevra(*id).arch.as_str()).copied().unwrap_or(*id);
            leading.extend(ids.iter().map(of));
        }
        self.leading = leading;
    }

    /// A sort key for packages of one name and architecture. The better package
    /// has the smaller key.
    fn age(&self, id: Id) -> impl Ord + use<'a> {
        (self.repository(id).priority, std::cmp::Reverse(&self.nevra(id).evr))
    }

    /// Whether there is a better package of the same name and architecture.
    pub(super) fn is_old(&self, id: Id) -> bool {
        let leading = self.leading.get(id.0 as usize);
        leading.is_some_and(|leading| self.age(*leading) < self.age(id))
    }

    fn entry(&self, id: Id) -> &Entry<'a> {
        // Only `new` makes an `Id`, from this very index.
        &self.entries[id.0 as usize]
    }

    /// All packages.
    pub fn ids(&self) -> impl Iterator<Item = Id> + use<> {
        (0..u32::try_from(self.entries.len()).unwrap_or(u32::MAX)).map(Id)
    }

    /// The package's name.
    pub fn nevra(&self, id: Id) -> &'a Nevra {
        self.entry(id).nevra
    }

    /// The package.
    pub fn package(&self, id: Id) -> &'a Package {
        let Entry { repository, place, .. } = self.entry(id);
        // The place is one of the repository's own.
        &repository.packages[*place]
    }

    /// The repository that it comes from.
    pub fn repository(&self, id: Id) -> &'a Repository {
        self.entry(id).repository
    }

    /// The key of a package: its name, and what makes it another one. Packages with
    /// the same key exclude each other.
    pub fn key(&self, id: Id) -> &str {
        let entry = self.entry(id);
        entry.foreign.as_deref().unwrap_or(&entry.nevra.name)
    }

    /// Whether it has the node's own architecture, or none.
    pub fn is_native(&self, id: Id) -> bool {
        let arch = &self.nevra(id).arch;
        arch == self.native || arch == "noarch"
    }

    /// How far its architecture is from the node's own. `None` if it runs on any.
    pub(super) fn distance(&self, id: Id) -> Option<u8> {
        (self.nevra(id).arch != "noarch").then(|| self.entry(id).distance)
    }

    /// The packages with this name.
    pub fn named(&self, name: &str) -> &[Id] {
        let name_of = |entry: &Entry<'a>| entry.nevra.name.as_str();
        let start = self.entries.partition_point(|entry| name_of(entry) < name);
        let rest = self.entries.get(start..).unwrap_or_default();
        let count = rest.partition_point(|entry| name_of(entry) == name);
        self.ids.get(start..start + count).unwrap_or_default()
    }

    /// The packages at the places that `find` gives of each repository, in the
    /// universe's order.
    fn at<I: Iterator<Item = usize>>(&self, find: impl Fn(&'a Packages) -> I) -> Vec<Id> {
        let own = |source: &Source<'a>| {
            let places = find(&source.repository.packages);
            places.filter_map(|place| source.ids.get(place).copied().flatten()).collect::<Vec<_>>()
        };
        let mut ids: Vec<Id> = self.sources.iter().flat_map(own).collect();
        ids.sort_unstable();
        ids
    }

    /// The packages that provide this name, in any version.
    fn providing(&self, name: &str) -> Rc<[Id]> {
        if let Some(known) = self.providing.borrow().get(name) {
            return known.clone();
        }
        let ids: Rc<[Id]> = self.at(|packages| packages.providing(name)).into();
        self.providing.borrow_mut().insert(name.to_owned(), ids.clone());
        ids
    }

    /// The versions that are provided.
    fn range(&self, (id, place): Provided) -> Option<&'a Range> {
        self.package(id).provides.get(place)?.range.as_ref()
    }

    /// The packages that provide this name, once for each time they do.
    fn provided(&self, name: &str) -> Rc<[Provided]> {
        if let Some(known) = self.provided.borrow().get(name) {
            return known.clone();
        }
        let mut provided = Vec::new();
        for id in self.providing(name).iter() {
            let all = self.package(*id).provides.iter().enumerate();
            let named = all.filter(|(_, one)| one.name == name);
            provided.extend(named.map(|(place, _)| (*id, place)));
        }
        let provided: Rc<[Provided]> = provided.into();
        self.provided.borrow_mut().insert(name.to_owned(), provided.clone());
        provided
    }

    /// The packages that provide `wanted`, each once, in the universe's order.
    pub fn providers(&self, wanted: &Capability) -> Vec<Id> {
        let name = wanted.name.as_str();
        if wanted.range.is_some() {
            let provided = self.provided(name);
            let fit = provided.iter().filter(|one| wanted.accepts(self.range(**one)));
            let mut ids: Vec<Id> = fit.map(|(id, _)| *id).collect();
            ids.dedup();
            return ids;
        }
        let mut ids = self.providing(name).to_vec();
        if wanted.is_file() {
            ids.extend(self.at(|packages| packages.having(name)));
            ids.sort_unstable();
            ids.dedup();
        }
        ids
    }

    /// The packages that an `Obsoletes:` of `wanted` is about, by name.
    pub fn obsoleted(&self, wanted: &Capability) -> &[Id] {
        let named = self.named(&wanted.name);
        let Some(range) = &wanted.range else { return named };
        // They are in the order of their versions, so that a range is one
        // slice.
        let order = |id: &Id| self.nevra(*id).evr.compare_as_range_end(&range.end);
        let equal = named.partition_point(|id| order(id).is_lt());
        let above = named.partition_point(|id| order(id).is_le());
        let (start, end) = match range.comparison {
            Comparison::Less => (0, equal),
            Comparison::LessOrEqual => (0, above),
            Comparison::Equal => (equal, above),
            Comparison::GreaterOrEqual => (equal, named.len()),
            Comparison::Greater => (above, named.len()),
        };
        named.get(start..end).unwrap_or_default()
    }

    /// The packages that obsolete a package of this name, each with the versions.
    pub(super) fn obsoleting(&self, name: &str) -> Vec<(Id, &'a Capability)> {
        let ids = self.at(|packages| packages.obsoleting(name));
        let each = ids.into_iter().flat_map(|id| {
            let obsoletes = self.package(id).obsoletes.iter();
            obsoletes.filter(|one| one.name == name).map(move |one| (id, one))
        });
        each.collect()
    }

    /// The packages that fulfil `dependency`, or a part of it, each by itself.
    /// `with` and `without` always mean a single package.
    pub fn fulfilling(&self, dependency: &Dependency) -> Vec<Id> {
        match dependency {
            Dependency::Capability(capability) => self.providers(capability),
            Dependency::With(parts) => {
                let mut parts = parts.iter();
                let mut ids = parts.next().map(|part| self.fulfilling(part)).unwrap_or_default();
                for part in parts {
                    let those: HashSet<Id> = self.fulfilling(part).into_iter().collect();
                    ids.retain(|id| those.contains(id));
                }
                ids
            }
            Dependency::Without(a, b) => {
                let second: HashSet<Id> = self.fulfilling(b).into_iter().collect();
                self.fulfilling(a).into_iter().filter(|id| !second.contains(id)).collect()
            }
            Dependency::And(parts) | Dependency::Or(parts) => {
                let mut ids: Vec<Id> =
                    parts.iter().flat_map(|part| self.fulfilling(part)).collect();
                ids.sort_unstable();
                ids.dedup();
                ids
            }
            Dependency::If(a, ..) | Dependency::Unless(a, ..) => self.fulfilling(a),
        }
    }

    /// The paths that a package reachable from `roots` requires, and that no
    /// package is known to have. For these, `filelists.xml` must be read.
    pub fn unknown_files(&self, roots: impl IntoIterator<Item = Id>) -> HashSet<&'a str> {
        let mut reached: HashSet<Id> = HashSet::new();
        let mut pending: Vec<Id> = Vec::new();
        for id in roots {
            if reached.insert(id) {
                pending.push(id);
            }
        }
        let mut unknown = HashSet::new();
        let mut seen: HashSet<&Capability> = HashSet::new();
        // The packages that provide a name and have not been reached yet.
        let mut left: HashMap<&str, Vec<Provided>> = HashMap::new();
        while let Some(id) = pending.pop() {
            let package = self.package(id);
            let dependencies = package.requires.iter().chain(&package.conflicts);
            for capability in dependencies.flat_map(Dependency::capabilities) {
                if !seen.insert(capability) {
                    continue;
                }
                let name = capability.name.as_str();
                if capability.is_file() {
                    let providers = self.providers(capability);
                    if providers.is_empty() {
                        unknown.insert(name);
                    }
                    pending.extend(providers.into_iter().filter(|other| reached.insert(*other)));
                    continue;
                }
                let left = left.entry(name).or_insert_with(|| self.provided(name).to_vec());
                left.retain(|provided| {
                    if !capability.accepts(self.range(*provided)) {
                        return true;
                    }
                    let (other, _) = *provided;
                    if reached.insert(other) {
                        pending.push(other);
                    }
                    false
                });
            }
        }
        unknown
    }
}

/// Leaves each package only where it comes first. Those that are equally new are in the
/// order of their texts then.
fn distinct(entries: Vec<Entry<'_>>) -> Vec<Entry<'_>> {
    let mut distinct = Vec::with_capacity(entries.len());
    let mut rest = entries.into_iter().peekable();
    while let Some(first) = rest.next() {
        let nevra = first.nevra;
        let mut equal = vec![first];
        while let Some(next) = rest.next_if(|next| order(nevra, next.nevra).is_eq()) {
            equal.push(next);
        }
        if equal.len() > 1 {
            let mut seen = HashSet::new();
            equal.retain(|entry| seen.insert(entry.nevra.arch.as_str()));
            equal.sort_by_cached_key(|entry| entry.nevra.to_string());
        }
        distinct.append(&mut equal);
    }
    distinct
}
