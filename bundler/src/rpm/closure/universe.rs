//! All packages that can be chosen, and what they provide.

use std::collections::{HashMap, HashSet};

use bundle_format::{Architecture, Nevra};

use crate::rpm::dependency::{Capability, Comparison, Dependency, Range};
use crate::rpm::package::Package;
use crate::rpm::repository::Repository;

/// A package's position in a [`Universe`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(u32);

/// The packages of some repositories that can run on an architecture.
pub struct Universe<'a> {
    entries: Vec<Entry<'a>>,
    names: HashMap<&'a str, Vec<Id>>,
    provides: HashMap<&'a str, Vec<(Id, Option<&'a Range>)>>,
    files: HashMap<&'a str, Vec<Id>>,
    /// Obsoletes, by the name that they are about.
    obsoletes: HashMap<&'a str, Vec<(Id, &'a Capability)>>,
    /// The best package of each name and architecture.
    leading: HashMap<(&'a str, &'a str), Id>,
    native: &'static str,
}

struct Entry<'a> {
    package: &'a Package,
    repository: &'a Repository,
    /// The package's name. If its architecture is foreign, the architecture
    /// follows, because both can be installed side by side.
    key: String,
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

impl<'a> Universe<'a> {
    /// The packages of `repositories`, without those that `excluded` names.
    pub fn new(
        repositories: impl IntoIterator<Item = &'a Repository>,
        architecture: Architecture,
        excluded: impl Fn(&Repository, &Package) -> bool,
    ) -> Self {
        let mut universe = Self {
            entries: Vec::new(),
            names: HashMap::new(),
            provides: HashMap::new(),
            files: HashMap::new(),
            obsoletes: HashMap::new(),
            leading: HashMap::new(),
            native: architecture.rpm(),
        };
        // Several repositories may have the same package. It is taken from the
        // one with the lowest priority number, and among equals from the
        // first.
        let mut ordered: Vec<&Repository> = repositories.into_iter().collect();
        ordered.sort_by_key(|repository| repository.priority);
        let mut seen = HashSet::new();
        let mut entries = Vec::new();
        for repository in ordered {
            for package in &repository.packages {
                let Some(distance) = distance(architecture, &package.nevra.arch) else { continue };
                if excluded(repository, package) || !seen.insert(&package.nevra) {
                    continue;
                }
                let key = match distance {
                    0 => package.nevra.name.clone(),
                    _ => format!("{}.{}", package.nevra.name, package.nevra.arch),
                };
                entries.push(Entry { package, repository, key, distance });
            }
        }
        // The order of packages in metadata means nothing. libsolv looks at
        // packages of several names in the order of their names.
        entries.sort_by_cached_key(|entry| entry.package.nevra.to_string());
        entries.sort_by(|a, b| {
            let (a, b) = (&a.package.nevra, &b.package.nevra);
            let anywhere = |nevra: &Nevra| nevra.arch == "noarch";
            let by_name = a.name.cmp(&b.name).then_with(|| a.evr.cmp(&b.evr));
            by_name.then_with(|| anywhere(a).cmp(&anywhere(b)))
        });
        for entry in entries {
            universe.add(entry);
        }
        universe
    }

    fn add(&mut self, entry: Entry<'a>) {
        let id = Id(u32::try_from(self.entries.len()).unwrap_or(u32::MAX));
        let package = entry.package;
        self.names.entry(&package.nevra.name).or_default().push(id);
        for capability in &package.provides {
            let provided = (id, capability.range.as_ref());
            self.provides.entry(&capability.name).or_default().push(provided);
        }
        for file in &package.files {
            self.files.entry(file).or_default().push(id);
        }
        for capability in &package.obsoletes {
            self.obsoletes.entry(&capability.name).or_default().push((id, capability));
        }
        self.entries.push(entry);
        let leading = self.leading.entry((&package.nevra.name, &package.nevra.arch)).or_insert(id);
        let held = *leading;
        if self.age(id) < self.age(held) {
            self.leading.insert((&package.nevra.name, &package.nevra.arch), id);
        }
    }

    /// A sort key for packages of one name and architecture. The better package
    /// has the smaller key.
    fn age(&self, id: Id) -> impl Ord + use<'a> {
        (self.repository(id).priority, std::cmp::Reverse(&self.package(id).nevra.evr))
    }

    /// Whether there is a better package of the same name and architecture.
    pub(super) fn is_old(&self, id: Id) -> bool {
        let nevra = &self.package(id).nevra;
        let leading = self.leading.get(&(nevra.name.as_str(), nevra.arch.as_str()));
        leading.is_some_and(|leading| self.age(*leading) < self.age(id))
    }

    fn entry(&self, id: Id) -> &Entry<'a> {
        // Only `add` makes an `Id`, from this very index.
        &self.entries[id.0 as usize]
    }

    /// All packages.
    pub fn ids(&self) -> impl Iterator<Item = Id> + use<> {
        (0..u32::try_from(self.entries.len()).unwrap_or(u32::MAX)).map(Id)
    }

    /// The package.
    pub fn package(&self, id: Id) -> &'a Package {
        self.entry(id).package
    }

    /// The repository that it comes from.
    pub fn repository(&self, id: Id) -> &'a Repository {
        self.entry(id).repository
    }

    /// The key of a package. Packages with the same key exclude each other.
    pub fn key(&self, id: Id) -> &str {
        &self.entry(id).key
    }

    /// Whether it has the node's own architecture, or none.
    pub fn is_native(&self, id: Id) -> bool {
        let arch = &self.package(id).nevra.arch;
        arch == self.native || arch == "noarch"
    }

    /// How far its architecture is from the node's own. `None` if it runs on any.
    pub(super) fn distance(&self, id: Id) -> Option<u8> {
        (self.package(id).nevra.arch != "noarch").then(|| self.entry(id).distance)
    }

    /// The packages with this name.
    pub fn named(&self, name: &str) -> &[Id] {
        self.names.get(name).map_or(&[], Vec::as_slice)
    }

    /// The packages that provide `wanted`, each once, in the universe's order.
    pub fn providers(&self, wanted: &Capability) -> Vec<Id> {
        let provided = self.provides.get(wanted.name.as_str()).map_or(&[][..], Vec::as_slice);
        let mut ids: Vec<Id> = provided
            .iter()
            .filter(|(_, range)| wanted.accepts(*range))
            .map(|(id, _)| *id)
            .collect();
        if wanted.is_file() && wanted.range.is_none() {
            ids.extend(self.files.get(wanted.name.as_str()).into_iter().flatten());
        }
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// The packages that an `Obsoletes:` of `wanted` is about, by name.
    pub fn obsoleted(&self, wanted: &Capability) -> &[Id] {
        let named = self.named(&wanted.name);
        let Some(range) = &wanted.range else { return named };
        // They are in the order of their versions, so that a range is one
        // slice.
        let order = |id: &Id| self.package(*id).nevra.evr.compare_as_range_end(&range.end);
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
    pub(super) fn obsoleting(&self, name: &str) -> &[(Id, &'a Capability)] {
        self.obsoletes.get(name).map_or(&[], Vec::as_slice)
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
        let mut left: HashMap<&str, Vec<(Id, Option<&Range>)>> = HashMap::new();
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
                let provided = || self.provides.get(name).cloned().unwrap_or_default();
                let left = left.entry(name).or_insert_with(provided);
                left.retain(|(other, range)| {
                    if !capability.accepts(*range) {
                        return true;
                    }
                    if reached.insert(*other) {
                        pending.push(*other);
                    }
                    false
                });
            }
        }
        unknown
    }
}
