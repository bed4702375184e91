//! All packages that can be chosen, and who provides what.

use std::collections::{HashMap, HashSet};

use bundle_format::{Architecture, Nevra};

use crate::rpm::dependency::{Capability, Dependency, Range};
use crate::rpm::package::Package;
use crate::rpm::repository::Repository;

/// A package's place in a [`Universe`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(u32);

/// The packages of some repositories that run on an architecture.
pub struct Universe<'a> {
    entries: Vec<Entry<'a>>,
    names: HashMap<&'a str, Vec<Id>>,
    provides: HashMap<&'a str, Vec<(Id, Option<&'a Range>)>>,
    files: HashMap<&'a str, Vec<Id>>,
    native: &'static str,
}

struct Entry<'a> {
    package: &'a Package,
    repository: &'a Repository,
    /// The package's name; that of a foreign architecture with the
    /// architecture behind it, since both can be installed side by side.
    key: String,
    distance: u8,
}

/// How far an architecture is from the node's own: rpm's `arch_compat`. None
/// where its packages do not run.
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
    /// Takes in the packages of `repositories` but those that `excluded` says.
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
            native: architecture.rpm(),
        };
        // The same package may stand in several repositories: the one with the
        // lowest priority number offers it, among equals the first.
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
        // In which order metadata lists packages is nobody's word on them. By
        // name is how libsolv looks at those of several names.
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
        self.entries.push(entry);
    }

    fn entry(&self, id: Id) -> &Entry<'a> {
        // An `Id` is made by `add` alone, from the very index.
        &self.entries[id.0 as usize]
    }

    /// Every package.
    pub fn ids(&self) -> impl Iterator<Item = Id> + use<> {
        (0..u32::try_from(self.entries.len()).unwrap_or(u32::MAX)).map(Id)
    }

    /// The package itself.
    pub fn package(&self, id: Id) -> &'a Package {
        self.entry(id).package
    }

    /// Where it comes from.
    pub fn repository(&self, id: Id) -> &'a Repository {
        self.entry(id).repository
    }

    /// Packages with the same key exclude one another.
    pub fn key(&self, id: Id) -> &str {
        &self.entry(id).key
    }

    /// Whether it is of the node's own architecture, or of none.
    pub fn is_native(&self, id: Id) -> bool {
        let arch = &self.package(id).nevra.arch;
        arch == self.native || arch == "noarch"
    }

    /// How far its architecture is from the node's own; none where it runs on
    /// any.
    pub(super) fn distance(&self, id: Id) -> Option<u8> {
        (self.package(id).nevra.arch != "noarch").then(|| self.entry(id).distance)
    }

    /// The packages of this name.
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

    /// The packages, by name, that an `Obsoletes:` of `wanted` is about.
    pub fn obsoleted(&self, wanted: &Capability) -> impl Iterator<Item = Id> {
        self.named(&wanted.name).iter().copied().filter(|id| {
            let evr = self.package(*id).nevra.evr.clone();
            let provided =
                Range { comparison: super::super::dependency::Comparison::Equal, end: evr };
            wanted.accepts(Some(&provided))
        })
    }

    /// The packages that fulfil `dependency` each by itself; for `with` and
    /// `without` that is what they mean.
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

    /// The paths that anything reachable from `roots` requires and no package
    /// is known to have: those for which `filelists.xml` must be read.
    pub fn unknown_files(&self, roots: impl IntoIterator<Item = Id>) -> HashSet<&'a str> {
        let mut reached: HashSet<Id> = HashSet::new();
        let mut pending: Vec<Id> = roots.into_iter().collect();
        let mut unknown = HashSet::new();
        let mut seen: HashSet<&str> = HashSet::new();
        while let Some(id) = pending.pop() {
            if !reached.insert(id) {
                continue;
            }
            let package = self.package(id);
            for dependency in package.requires.iter().chain(&package.conflicts) {
                for capability in dependency.capabilities() {
                    if capability.range.is_none() && !seen.insert(&capability.name) {
                        continue;
                    }
                    let providers = self.providers(capability);
                    if providers.is_empty() && capability.is_file() {
                        unknown.insert(capability.name.as_str());
                    }
                    pending.extend(providers);
                }
            }
        }
        unknown
    }
}
