//! From repositories and requests to the packages that a bundle must contain: the
//! common part of `bundler resolve` and `bundler lock`.

use std::collections::{BTreeSet, HashSet};

use bundle_format::{Architecture, Nevra};

use crate::fetch::Fetch;
use crate::rpm::closure::{self, Id, Installed, Request, Solution, Universe, Unsolvable};
use crate::rpm::dependency::Dependency;
use crate::rpm::modules::{Documents, Modules, ModulesError};
use crate::rpm::package::Package;
use crate::rpm::primary::MetadataError;
use crate::rpm::repository::{Repository, RepositoryError};

pub mod baseline;
mod comps;

/// Which packages count as installed on a node before the bundle is installed.
#[derive(Clone, Debug)]
pub enum Baseline {
    /// The closure of the repositories' own group `core`.
    Core,
    /// Nothing.
    None,
    /// The packages of a real node.
    Packages(Vec<Nevra>),
}

/// The packages wanted, for one kind of node.
pub struct Goal<'a> {
    /// The nodes' architecture.
    pub architecture: Architecture,
    /// Their platform, for which modules are built (`el8`). `None` if it is
    /// unknown.
    pub platform: Option<&'a str>,
    /// The packages that they already have.
    pub baseline: Baseline,
    /// The packages that they must get.
    pub requests: &'a [Request],
    /// Whether a package must not be taken.
    pub excluded: &'a dyn Fn(&Repository, &Nevra) -> bool,
}

/// A package that the bundle must contain.
#[derive(Debug)]
pub struct Chosen {
    /// The package.
    pub package: Package,
    /// The short name of its repository.
    pub repository: String,
    /// The packages that require it, each with its words for it.
    pub required_by: BTreeSet<(Nevra, String)>,
}

/// The answer to a [`Goal`].
#[derive(Debug)]
pub struct Resolution {
    /// The packages for the bundle, sorted by their text.
    pub packages: Vec<Chosen>,
    /// The package for each request, in order. It may be one of the baseline.
    pub requested: Vec<Nevra>,
    /// Whether [`Baseline::Core`] was asked for and no repository has the group
    /// `core`. The packages were then solved for an empty node.
    pub core_missing: bool,
    /// Whether one of them is from a module stream.
    pub modular: bool,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// The packages cannot be installed.
    #[error(transparent)]
    Unsolvable(#[from] Unsolvable),
    /// They can be installed only with packages that a node does not see.
    #[error(
        "needed packages are hidden by modules: {}; to use the packages of a repository in any case, give it `moduleHotfixes: true`",
        .hidden.join(", ")
    )]
    Hidden {
        /// The packages, with their repositories and the streams that hide them.
        hidden: Vec<String>,
        /// Why there is no answer without them.
        #[source]
        source: Unsolvable,
    },
    /// The group `core` cannot be installed, so it cannot be the baseline.
    #[error("the repositories' own group `core` cannot be solved; choose another baseline")]
    Core(#[source] Unsolvable),
    /// A repository's metadata cannot be read.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// A repository's groups are not usable.
    #[error("repository `{repository}`: its groups (comps)")]
    Comps {
        /// Its short name.
        repository: String,
        /// Why.
        #[source]
        source: MetadataError,
    },
    /// A repository's modules are not usable.
    #[error("repository `{repository}`: its modules metadata")]
    Modules {
        /// Its short name.
        repository: String,
        /// Why.
        #[source]
        source: ModulesError,
    },
}

/// Solves `goal` against `repositories`. If a path is required that no package is
/// known to have, the complete file lists are fetched.
pub fn resolve(
    fetch: &dyn Fetch,
    repositories: &mut [Repository],
    goal: &Goal<'_>,
) -> Result<Resolution, ResolveError> {
    let core = match goal.baseline {
        Baseline::Core => core_packages(fetch, repositories)?,
        _ => Vec::new(),
    };
    let modules = modules(fetch, repositories, goal)?;
    let excluded = |repository: &Repository, place: usize| {
        is_excluded(goal, repository, place) || hidden_by(&modules, repository, place).is_some()
    };
    let offered = Universe::new(&*repositories, goal.architecture, excluded);
    let offered = if lacks_files(&offered, &core, goal) {
        drop(offered);
        let wanted = paths(repositories, goal);
        for repository in repositories.iter_mut() {
            repository.load_filelists(fetch, &|path| wanted.contains(path))?;
        }
        None
    } else {
        Some(offered)
    };
    let node = match &goal.baseline {
        Baseline::Packages(list) => baseline::node_repository(repositories, list),
        Baseline::Core | Baseline::None => None,
    };
    let universe = match offered {
        Some(offered) if node.is_none() => offered,
        _ => Universe::new(repositories.iter().chain(&node), goal.architecture, excluded),
    };
    let installed = match &goal.baseline {
        Baseline::Core if !core.is_empty() => {
            baseline::of_core(&universe, &core).map_err(ResolveError::Core)?
        }
        Baseline::Core | Baseline::None => Installed::default(),
        Baseline::Packages(list) => baseline::of_packages(&universe, list),
    };
    let solution = closure::solve(&universe, goal.requests, &installed).map_err(|source| {
        let all = repositories.iter().chain(&node);
        match needed_but_hidden(all, goal, &modules) {
            hidden if hidden.is_empty() => source.into(),
            hidden => ResolveError::Hidden { hidden, source },
        }
    })?;
    let packages = chosen(&universe, &solution);
    Ok(Resolution {
        modular: packages.iter().any(|chosen| modules.contains(&chosen.package.nevra)),
        requested: solution.requested.iter().map(|id| universe.nevra(*id).clone()).collect(),
        core_missing: matches!(goal.baseline, Baseline::Core) && core.is_empty(),
        packages,
    })
}

/// Whether a path is required that is in no package's short list of files.
fn lacks_files(universe: &Universe<'_>, core: &[String], goal: &Goal<'_>) -> bool {
    let core = core.iter().flat_map(|name| universe.named(name).iter().copied());
    let roots = goal.requests.iter().flat_map(|request| request.candidates(universe)).chain(core);
    !universe.unknown_files(roots).is_empty()
        || goal.requests.iter().any(|request| request.text.starts_with('/'))
}

/// The packages of a solution, with who requires each.
fn chosen(universe: &Universe<'_>, solution: &Solution) -> Vec<Chosen> {
    let nevra = |id: Id| universe.nevra(id).clone();
    let required_by = |id: &Id| {
        let by = solution.required_by.get(id).into_iter().flatten();
        by.map(|(by, words)| (nevra(*by), words.clone())).collect()
    };
    let chosen = |id: &Id| Chosen {
        package: universe.package(*id).clone(),
        repository: universe.repository(*id).id.clone(),
        required_by: required_by(id),
    };
    solution.packages.iter().map(chosen).collect()
}

/// Every path that a package or a request may require.
fn paths(repositories: &[Repository], goal: &Goal<'_>) -> HashSet<String> {
    let mut wanted: HashSet<String> =
        goal.requests.iter().map(|request| request.text.clone()).collect();
    for package in repositories.iter().flat_map(|repository| repository.packages.each()) {
        let weak = &package.weak;
        let all = [&package.requires, &package.conflicts, &weak.recommends, &weak.suggests];
        let all = all.into_iter().chain([&weak.supplements, &weak.enhances]).flatten();
        for capability in all.flat_map(Dependency::capabilities) {
            if capability.is_file() && !wanted.contains(&capability.name) {
                wanted.insert(capability.name.clone());
            }
        }
    }
    wanted
}

/// The packages of the group `core`, as all repositories together define it.
fn core_packages(
    fetch: &dyn Fetch,
    repositories: &[Repository],
) -> Result<Vec<String>, ResolveError> {
    let mut names = BTreeSet::new();
    for repository in repositories {
        let document = match repository.document(fetch, "group_gz")? {
            Some(document) => Some(document),
            None => repository.document(fetch, "group")?,
        };
        let Some(document) = document else { continue };
        names.extend(
            comps::group(&document, "core").map_err(|source| ResolveError::Comps {
                repository: repository.id.clone(),
                source,
            })?,
        );
    }
    Ok(names.into_iter().collect())
}

fn modules(
    fetch: &dyn Fetch,
    repositories: &[Repository],
    goal: &Goal<'_>,
) -> Result<Modules, ResolveError> {
    let mut documents = Documents::default();
    for repository in repositories {
        let Some(document) = repository.document(fetch, "modules")? else { continue };
        documents.add(&document).map_err(|source| ResolveError::Modules {
            repository: repository.id.clone(),
            source,
        })?;
    }
    Ok(documents.modules(goal.platform, goal.architecture.rpm()))
}

/// Whether the package at this place must not be taken.
fn is_excluded(goal: &Goal<'_>, repository: &Repository, place: usize) -> bool {
    let nevra = repository.packages.nevras().get(place);
    nevra.is_none_or(|nevra| (goal.excluded)(repository, nevra))
}

/// The module stream that hides a package, unless its repository is exempt.
fn hidden_by<'a>(modules: &'a Modules, repository: &Repository, place: usize) -> Option<&'a str> {
    if repository.module_hotfixes || modules.hide_nothing() {
        return None;
    }
    let packages = &repository.packages;
    modules.hide(packages.nevras().get(place)?, packages.provided_by(place))
}

/// The hidden packages that the answer would contain if nothing were hidden.
fn needed_but_hidden<'a>(
    repositories: impl Iterator<Item = &'a Repository>,
    goal: &Goal<'_>,
    modules: &Modules,
) -> Vec<String> {
    let excluded = |repository: &Repository, place| is_excluded(goal, repository, place);
    let universe = Universe::new(repositories, goal.architecture, excluded);
    let Ok(solution) = closure::solve(&universe, goal.requests, &Installed::default()) else {
        return Vec::new();
    };
    let words = |id| {
        let (package, repository) = (universe.package(id), universe.repository(id));
        let stream = modules.hidden_by(package).filter(|_| !repository.module_hotfixes)?;
        Some(format!("{} of {} by {stream}", package.nevra, repository.id))
    };
    solution.packages.iter().filter_map(|id| words(*id)).collect()
}
