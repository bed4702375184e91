//! A lock that is made anew so that all stays as it was but for what was asked for,
//! as far as it is still valid: offered by its repository, wanted by the spec.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use anyhow::{Context, bail};
use bundle_format::lock::{Lock, LockedImage, LockedManifest, LockedRpm, Why};
use bundle_format::text::brief;
use bundle_format::{Architecture, ImageReference, Nevra};

use crate::fetch::Fetch;
use crate::inspect::naming;
use crate::rpm::closure::{Request, Universe};
use crate::rpm::package::Package;
use crate::rpm::repository::Repository;
use crate::rpm::resolve::{Goal, Resolution, ResolveError, resolve};
use crate::spec::Spec;

/// What stays as it is in a lock, and what moves.
pub struct Kept<'a> {
    lock: &'a Lock,
    names: &'a [String],
    packages: BTreeSet<String>,
    images: BTreeSet<ImageReference>,
    manifests: BTreeSet<String>,
}

impl<'a> Kept<'a> {
    /// All of `lock` stays but for what is called by `names`: packages, images and
    /// manifests as `why` finds them, `kubernetes` and `containerd`.
    pub fn all_but(names: &'a [String], lock: &'a Lock, spec: &Spec) -> anyhow::Result<Self> {
        let (packages, images, manifests) = Default::default();
        let mut kept = Self { lock, names, packages, images, manifests };
        let mut unknown = Vec::new();
        for name in names {
            if !kept.moves(name, spec) {
                let near = kept.near(name, spec);
                unknown.push(format!("the lock holds nothing called `{name}`{near}"));
            }
        }
        if !unknown.is_empty() {
            bail!("{}", unknown.join("\n"));
        }
        Ok(kept)
    }

    /// Notes what moves by `name`; says whether anything does.
    fn moves(&mut self, name: &str, spec: &Spec) -> bool {
        let called = Called::by(name, self.lock, spec);
        let any = called.is_any();
        self.packages.extend(called.packages);
        self.images.extend(called.images);
        self.manifests.extend(called.manifests);
        any
    }

    /// What was meant, maybe.
    fn near(&self, name: &str, spec: &Spec) -> String {
        let can_move = |own: &&String| Called::by(own, self.lock, spec).is_any();
        match naming::meant(self.lock, name).iter().find(can_move) {
            Some(meant) => format!("; did you mean `{}`?", brief(meant)),
            None => "; name a package, an image, a manifest, `kubernetes` or `containerd`".into(),
        }
    }

    /// The locked image, if it stays.
    pub(super) fn image(
        &self,
        name: &ImageReference,
        source: &ImageReference,
        architectures: &[Architecture],
    ) -> Option<&'a LockedImage> {
        let own = self.lock.images.iter().find(|image| image.name == *name)?;
        let fits = own.platforms.iter().map(|platform| &platform.architecture).eq(architectures);
        (!self.images.contains(name) && own.source == *source && fits).then_some(own)
    }

    /// The locked manifest, if it stays. One beside the spec is the spec's author's to
    /// change.
    pub(super) fn manifest(&self, name: &str, source: &str) -> Option<&'a LockedManifest> {
        let own = self.lock.manifests.iter().find(|manifest| manifest.name == name)?;
        let is_elsewhere = source.contains("://") && !source.starts_with("file:");
        (!self.manifests.contains(name) && own.source == source && is_elsewhere).then_some(own)
    }

    /// Solves `goal` so that the target's locked packages stay. Where that cannot be,
    /// what stands nearest to what moves may move as well, and so on outwards.
    pub(super) fn resolve(
        &self,
        target: &str,
        fetch: &dyn Fetch,
        repositories: &mut [Repository],
        goal: &Goal<'_>,
    ) -> anyhow::Result<Resolution> {
        let pins = Pins::new(self, target, repositories, goal);
        let pinned = pins.solve(fetch, repositories, goal, Some(&pins.free));
        if !matches!(&pinned, Err(error) if is_conflict(error)) {
            return Ok(pinned?);
        }
        let words = || format!("upgrading {}", self.names.join(", "));
        let unpinned = pins.solve(fetch, repositories, goal, None).with_context(words)?;
        let near = neighbours(self.lock, target, &unpinned);
        let mut free = pins.free.clone();
        loop {
            let wider: BTreeSet<String> = free
                .iter()
                .filter_map(|name| near.get(name))
                .flatten()
                .chain(&free)
                .cloned()
                .collect();
            if wider.len() == free.len() {
                return Ok(unpinned);
            }
            free = wider;
            match pins.solve(fetch, repositories, goal, Some(&free)) {
                Err(error) if is_conflict(&error) => {}
                result => return result.with_context(words),
            }
        }
    }
}

/// What of a lock `--upgrade` knows by one name.
struct Called {
    packages: BTreeSet<String>,
    images: BTreeSet<ImageReference>,
    manifests: BTreeSet<String>,
}

impl Called {
    fn by(name: &str, lock: &Lock, spec: &Spec) -> Self {
        let is_of_kubernetes = |why: &Why| matches!(why, Why::Kubeadm { .. });
        let names: BTreeSet<&str> = match name {
            "kubernetes" => ["kubelet", "kubeadm", "kubectl", "cri-tools", "kubernetes-cni"].into(),
            "containerd" => spec.containerd.iter().map(|own| own.package.as_str()).collect(),
            _ => [name].into(),
        };
        let is_package = |rpm: &&LockedRpm| {
            names.contains(rpm.package.name.as_str()) || rpm.package.to_string() == name
        };
        let is_image = |image: &&LockedImage| {
            naming::names_of_image(image, name)
                || name == "kubernetes" && image.why.iter().any(is_of_kubernetes)
        };
        let packages = lock.rpms.iter().filter(is_package).map(|rpm| rpm.package.name.clone());
        let images = lock.images.iter().filter(is_image).map(|image| image.name.clone());
        let manifests = lock.manifests.iter().map(|own| own.name.clone());
        Self {
            packages: packages.collect(),
            images: images.collect(),
            manifests: manifests.filter(|own| own == name).collect(),
        }
    }

    fn is_any(&self) -> bool {
        !(self.packages.is_empty() && self.images.is_empty() && self.manifests.is_empty())
    }
}

/// What of a target's packages must stay in the version that is locked.
struct Pins {
    /// The locked versions that are still offered, by name and architecture.
    locked: HashMap<(String, String), HashSet<Nevra>>,
    /// Those that must not stay, since they are to move and there are newer ones.
    outdated: HashSet<Nevra>,
    /// Those that may be in any version: they are to move, or the spec asks for another
    /// by now.
    free: BTreeSet<String>,
}

impl Pins {
    fn new(kept: &Kept<'_>, target: &str, repositories: &[Repository], goal: &Goal<'_>) -> Self {
        let offered: HashMap<(&str, &str), Vec<(u32, &Nevra)>> = repositories
            .iter()
            .flat_map(|own| own.packages.iter().map(move |package| (own, package)))
            .filter(|(own, package)| !(goal.excluded)(own, package))
            .fold(HashMap::new(), |mut offered, (own, package)| {
                let nevra = &package.nevra;
                let key = (nevra.name.as_str(), nevra.arch.as_str());
                offered.entry(key).or_insert_with(Vec::new).push((own.priority, nevra));
                offered
            });
        let (locked, outdated, free) = (HashMap::new(), HashSet::new(), kept.packages.clone());
        let mut pins = Self { locked, outdated, free };
        for rpm in kept.lock.rpms.iter().filter(|rpm| rpm.target == target) {
            let own = &rpm.package;
            let others = offered.get(&(own.name.as_str(), own.arch.as_str()));
            let others = others.map(Vec::as_slice).unwrap_or_default();
            let Some((first, _)) = others.iter().find(|(_, nevra)| *nevra == own) else { continue };
            let key = (own.name.clone(), own.arch.clone());
            pins.locked.entry(key).or_default().insert(own.clone());
            // Of a package that the spec asks for in one version, another build at most.
            let one_version = goal.requests.iter().any(|request| {
                name_of(request).as_ref() == Some(&own.name) && request.text != own.name
            });
            let newer = others.iter().any(|(priority, nevra)| {
                priority <= first
                    && nevra.evr > own.evr
                    && (!one_version || nevra.evr.version == own.evr.version)
            });
            if newer && kept.packages.contains(&own.name) {
                pins.outdated.insert(own.clone());
            }
        }
        let locked: HashSet<&Nevra> = pins.locked.values().flatten().collect();
        let others = |own: &Repository, package: &Package| {
            (goal.excluded)(own, package) || !locked.contains(&package.nevra)
        };
        let universe = Universe::new(repositories, goal.architecture, others);
        let requests = goal.requests.iter();
        let unanswered = requests.filter(|request| request.candidates(&universe).is_empty());
        let names: Vec<String> = unanswered.filter_map(name_of).collect();
        pins.free.extend(names);
        pins
    }

    /// Solves with all pins but those of `free`; with none where that is none.
    fn solve(
        &self,
        fetch: &dyn Fetch,
        repositories: &mut [Repository],
        goal: &Goal<'_>,
        free: Option<&BTreeSet<String>>,
    ) -> Result<Resolution, ResolveError> {
        let excluded = |repository: &Repository, package: &Package| {
            let nevra = &package.nevra;
            (goal.excluded)(repository, package)
                || self.outdated.contains(nevra)
                || free.is_some_and(|free| self.is_another(nevra, free) && !repository.is_node())
        };
        let goal = Goal { excluded: &excluded, baseline: goal.baseline.clone(), ..*goal };
        resolve(fetch, repositories, &goal)
    }

    /// Whether it is another version of a package that stays.
    fn is_another(&self, nevra: &Nevra, free: &BTreeSet<String>) -> bool {
        let locked = self.locked.get(&(nevra.name.clone(), nevra.arch.clone()));
        locked.is_some_and(|locked| !locked.contains(nevra)) && !free.contains(&nevra.name)
    }
}

/// The name that a request begins with.
fn name_of(request: &Request) -> Option<String> {
    request.text.split([' ', '=', '<', '>']).next().map(str::to_owned)
}

fn is_conflict(error: &ResolveError) -> bool {
    use ResolveError::{Core, Hidden, Unsolvable};
    matches!(error, Unsolvable(_) | Hidden { .. } | Core(_))
}

/// For each package by name those that it requires or that require it, before or
/// after.
fn neighbours(lock: &Lock, target: &str, after: &Resolution) -> BTreeMap<String, BTreeSet<String>> {
    let mut near: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut join = |a: &str, b: &str| {
        near.entry(a.to_owned()).or_default().insert(b.to_owned());
        near.entry(b.to_owned()).or_default().insert(a.to_owned());
    };
    for rpm in lock.rpms.iter().filter(|rpm| rpm.target == target) {
        for why in &rpm.why {
            if let Why::Requires { package, .. } = why {
                join(&rpm.package.name, &package.name);
            }
        }
    }
    for chosen in &after.packages {
        for (by, _) in &chosen.required_by {
            join(&chosen.package.nevra.name, &by.name);
        }
    }
    near
}
