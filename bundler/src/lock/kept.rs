//! Updating a part of a lock. Everything that is not to be upgraded stays as it is
//! locked, if the repository still offers it and the spec still wants it.

use std::collections::BTreeSet;

use anyhow::{Context, bail};
use bundle_format::lock::{Lock, LockedFile, LockedImage, LockedManifest, LockedRpm, Why};
use bundle_format::text::brief;
use bundle_format::{Architecture, BundlePath, ImageReference, KubernetesVersion};

use super::pins::{Pins, is_conflict, neighbours};
use crate::fetch::Fetch;
use crate::inspect::naming;
use crate::rpm::repository::Repository;
use crate::rpm::resolve::{Goal, Resolution};
use crate::spec::Spec;

/// What stays as it is in a lock, and what may change.
pub struct Kept<'a> {
    lock: &'a Lock,
    names: &'a [String],
    packages: BTreeSet<String>,
    images: BTreeSet<ImageReference>,
    manifests: BTreeSet<String>,
}

impl<'a> Kept<'a> {
    /// Keeps all of `lock` except what `names` call: packages, images and
    /// manifests by the names that `why` takes, `kubernetes`, and `containerd`.
    pub fn all_but(names: &'a [String], lock: &'a Lock, spec: &Spec) -> anyhow::Result<Self> {
        let (packages, images, manifests) = Default::default();
        let mut kept = Self { lock, names, packages, images, manifests };
        let mut unknown = Vec::new();
        for name in names {
            let is_of_hop =
                || lock.hops.iter().any(|hop| Called::by(name, &lock.of_hop(hop), spec).is_any());
            if !kept.moves(name, spec) && !is_of_hop() {
                let near = kept.near(name, spec);
                unknown.push(format!("the lock holds nothing called `{name}`{near}"));
            }
        }
        if !unknown.is_empty() {
            bail!("{}", unknown.join("\n"));
        }
        Ok(kept)
    }

    /// The lock of the hop of this minor release, if there is one.
    pub(super) fn of_hop(&self, minor: u32) -> Option<Lock> {
        self.lock.hop(minor).map(|hop| self.lock.of_hop(hop))
    }

    /// The same for a hop, whose lock this is. What it does not have does not move.
    pub(super) fn in_hop<'b>(&self, lock: &'b Lock, spec: &Spec) -> Kept<'b>
    where
        'a: 'b,
    {
        let (packages, images, manifests) = Default::default();
        let mut kept = Kept { lock, names: self.names, packages, images, manifests };
        for name in self.names {
            kept.moves(name, spec);
        }
        kept
    }

    /// The release of Kubernetes that stays as it is locked, if it stays.
    pub(super) fn release(&self) -> Option<&'a KubernetesVersion> {
        let moves = self.names.iter().any(|name| name == "kubernetes");
        (!moves).then_some(&self.lock.kubernetes)
    }

    /// Notes what `name` upgrades. False if nothing has this name.
    fn moves(&mut self, name: &str, spec: &Spec) -> bool {
        let called = Called::by(name, self.lock, spec);
        let any = called.is_any();
        self.packages.extend(called.packages);
        self.images.extend(called.images);
        self.manifests.extend(called.manifests);
        any
    }

    /// Similar names, for a hint.
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

    /// The locked manifest, if it stays. A manifest file beside the spec never
    /// stays: the spec's author edits it.
    pub(super) fn manifest(&self, name: &str, source: &str) -> Option<&'a LockedManifest> {
        let own = self.lock.manifests.iter().find(|manifest| manifest.name == name)?;
        let is_elsewhere = source.contains("://") && !source.starts_with("file:");
        (!self.manifests.contains(name) && own.source == source && is_elsewhere).then_some(own)
    }

    /// The locked chart of a manifest, if it stays. One beside the spec never stays.
    pub(super) fn chart(&self, name: &str, source: &str) -> Option<&'a LockedFile> {
        let path = BundlePath::Chart { manifest: name.to_owned() };
        self.manifest(name, source)?;
        self.lock.files.iter().find(|file| file.path == path)
    }

    /// Whether this manifest is to be upgraded.
    pub(super) fn upgrades_manifest(&self, name: &str) -> bool {
        self.manifests.contains(name)
    }

    /// Solves `goal` so that the target's locked packages stay. If that has no
    /// solution, the packages that depend on the upgraded ones, or that these
    /// need, may change as well; then their neighbours, and so on.
    pub(super) fn resolve(
        &self,
        target: &str,
        fetch: &dyn Fetch,
        repositories: &mut [Repository],
        goal: &Goal<'_>,
    ) -> anyhow::Result<Resolution> {
        let pins = Pins::new(self.lock, &self.packages, target, repositories, goal);
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

/// The things in a lock that `--upgrade` knows by one name.
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
