//! Checks between the values of a spec, each of which is valid by itself.

use std::collections::BTreeSet;

use bundle_format::lock::foreign_tool;
use bundle_format::reference::usual_host;
use bundle_format::yaml::hint::near;
use bundle_format::yaml::{Data, Node, Place, Problem, quoted};

use super::chart::Chart;
use super::manifest::Manifest;
use super::patch::Change;
use super::repository::{Check, Repository};
use super::root::Spec;
use super::target::{PackageRequest, Target};
use super::{combination, hops, plain_http};

/// All contradictions in `spec`, which was read from `root`.
pub(super) fn check(spec: &Spec, root: &Node) -> Vec<Problem> {
    let mut relations = Relations { found: Vec::new() };
    if spec.targets.is_empty() {
        relations.add(
            root.place_of("targets"),
            "targets: at least one is needed, such as `- {family: el9, architecture: x86_64, …}`",
        );
    }
    relations.empty(spec, root);
    let targets = root.items("targets");
    relations.unique(
        "target",
        spec.targets
            .iter()
            .zip(targets)
            .map(|(target, node)| (target.id(), node.place_of("family"))),
    );
    for (target, node) in spec.targets.iter().zip(targets) {
        relations.target(target, node);
    }
    relations.pins(spec, root);
    relations.manifests(spec, root);
    relations.registries(spec, root);
    relations.found.extend(plain_http::check(spec, root));
    relations.cluster(spec, root);
    relations.found.extend(hops::check(spec, root));
    relations.pools(spec, root);
    for refusal in combination::refusals(spec) {
        relations.add(refusal.about.place(root), refusal.reason);
    }
    relations.found
}

struct Relations {
    found: Vec<Problem>,
}

impl Relations {
    /// An empty value must not switch a check off without a word.
    fn empty(&mut self, spec: &Spec, root: &Node) {
        for (key, is_empty, sample) in [
            ("trustedKeys", spec.trusted_keys.is_empty(), "[site.key.pub]"),
            ("signatures", spec.signatures.iter().next().is_none(), "{registry.k8s.io: k8s.pub}"),
            ("require", spec.require.is_none(), "signed"),
        ] {
            // Values that are wrong by themselves were left out of the spec.
            let has_values = |node: &Node| match &node.data {
                Data::Mapping(all) => !all.is_empty(),
                Data::Sequence(all) => !all.is_empty(),
                Data::Scalar { .. } => false,
            };
            if is_empty && root.value(key).is_some_and(|node| !has_values(node)) {
                let words = format!("`{key}` is empty: write `{key}: {sample}`, or leave it out");
                self.add(root.place_of(key), words);
            }
        }
    }
}

impl Relations {
    fn add(&mut self, place: Place, message: impl Into<String>) {
        self.found.push(Problem::new(place, message));
    }

    fn unique(&mut self, what: &str, names: impl Iterator<Item = (String, Place)>) {
        let mut seen = BTreeSet::new();
        for (name, place) in names {
            if !seen.insert(name.clone()) {
                self.add(
                    place,
                    format!("{what} `{name}` is here a second time: give it another name"),
                );
            }
        }
    }

    fn target(&mut self, target: &Target, node: &Node) {
        let id = target.id();
        if target.repositories.is_empty() {
            self.add(
                node.place_of("repositories"),
                format!(
                    "target {id}: no repositories to take packages from: write `- {{id: baseos, \
                     baseUrl: …, keys: […]}}` for each"
                ),
            );
        }
        self.systems(target, node);
        let nodes = node.items("repositories");
        self.unique(
            &format!("repository of target {id}"),
            target
                .repositories
                .iter()
                .zip(nodes)
                .map(|(repository, node)| (repository.id.value.clone(), node.place_of("id"))),
        );
        for (repository, node) in target.repositories.iter().zip(nodes) {
            self.repository(repository, node);
        }
    }

    /// An entry without fields would fit every node, also those that the bundle
    /// is not for.
    fn systems(&mut self, target: &Target, node: &Node) {
        for (system, node) in target.systems.iter().zip(node.items("match")) {
            let fields = system.fields();
            if fields.is_empty() {
                self.add(
                    node.place,
                    "match: an entry without fields would match every node: write one such as \
                     `{ID: openEuler, VERSION_ID: \"22.03\"}`",
                );
            }
            for name in ["ID", "ID_LIKE"] {
                let Some(value) = fields.get(name) else { continue };
                // A node with tdnf may also have dnf.
                if let Some(tool) = foreign_tool(value).filter(|tool| *tool != "tdnf") {
                    self.add(
                        node.place_of(name),
                        format!(
                            "match: {value} installs its packages with {tool}, but the installer \
                             needs dnf or yum"
                        ),
                    );
                }
            }
        }
    }

    fn repository(&mut self, repository: &Repository, node: &Node) {
        let name = &repository.id.value;
        let place = match (&repository.base_url, &repository.mirror_list) {
            (Some(_), Some(_)) => Some(node.place_of("mirrorList")),
            (None, None) => Some(node.place_of("id")),
            _ => None,
        };
        if let Some(place) = place {
            self.add(place, format!("repository `{name}`: give either `baseUrl` or `mirrorList`"));
        }
        let checks = repository.gpgcheck == Check::On || repository.repo_gpgcheck == Check::On;
        if checks && repository.keys.is_empty() {
            let place = if node.value("keys").is_some() { "keys" } else { "id" };
            self.add(
                node.place_of(place),
                format!(
                    "repository `{name}`: signatures are checked, but `keys` is empty: name the \
                     vendor's public keys"
                ),
            );
        }
    }

    /// Each repository that the spec pins packages to must exist. What every node
    /// gets needs it in every target.
    fn pins(&mut self, spec: &Spec, root: &Node) {
        for (target, node) in spec.targets.iter().zip(root.items("targets")) {
            let pin =
                |key: &str| root.value(key).map_or(root.place, |node| node.place_of("repository"));
            if let Some(repository) = &spec.kubernetes.repository {
                self.pin(target, "kubernetes.repository", repository, pin("kubernetes"));
            }
            if let Some(repository) =
                spec.containerd.as_ref().and_then(|containerd| containerd.repository.as_ref())
            {
                self.pin(target, "containerd.repository", repository, pin("containerd"));
            }
            for (package, node) in target.packages.iter().zip(node.items("packages")) {
                if let PackageRequest::Pinned(pinned) = &package.value {
                    let place = node.place_of("repository");
                    self.pin(target, &pinned.package, &pinned.repository, place);
                }
            }
        }
    }

    fn pin(&mut self, target: &Target, what: &str, repository: &str, place: Place) {
        let known: Vec<&str> =
            target.repositories.iter().map(|repository| repository.id.value.as_str()).collect();
        if !known.contains(&repository) {
            self.add(
                place,
                format!(
                    "target {}: {what} is pinned to repository `{repository}`, which is not one of {}",
                    target.id(),
                    known.join(", ")
                ),
            );
        }
    }

    fn manifests(&mut self, spec: &Spec, root: &Node) {
        let nodes = root.items("manifests");
        self.unique(
            "manifest",
            spec.manifests
                .iter()
                .zip(nodes)
                .map(|(manifest, node)| (manifest.value.name.clone(), node.place_of("name"))),
        );
        for (manifest, node) in spec.manifests.iter().zip(nodes) {
            let manifest = &manifest.value;
            let given = [
                ("url", manifest.url.is_some()),
                ("file", manifest.file.is_some()),
                ("chart", manifest.chart.is_some()),
                ("kustomize", manifest.kustomize.is_some()),
            ];
            let mut given = given.iter().filter(|(_, is_given)| *is_given);
            let place = match (given.next(), given.next()) {
                (Some(_), Some((second, _))) => node.place_of(second),
                (None, _) => node.place_of("name"),
                (Some(_), None) => {
                    self.chart(manifest, node);
                    continue;
                }
            };
            let words = "give one of `url`, `file`, `chart` and `kustomize`";
            self.add(place, format!("manifest `{}`: {words}", manifest.name));
        }
    }

    fn chart(&mut self, manifest: &Manifest, node: &Node) {
        if manifest.kustomize.is_some() && manifest.sha256.is_some() {
            let words = "a Kustomization has no `sha256`: leave it out";
            self.add(node.place_of("sha256"), format!("manifest `{}`: {words}", manifest.name));
        }
        let chart = manifest.chart.as_ref().and_then(Chart::problem);
        if let (Some((key, words)), Some(node)) = (chart, node.value("chart")) {
            self.add(node.place_of(key), format!("manifest `{}`: {words}", manifest.name));
        }
        let Some(chart) = &manifest.chart else { return };
        let place = match (&chart.release, node.value("chart")) {
            (Some(_), Some(chart)) => chart.place_of("release"),
            _ => node.place_of("name"),
        };
        if let Some(words) = chart.release_problem(&manifest.name) {
            self.add(place, format!("manifest `{}`: {words}", manifest.name));
        }
    }

    /// Contradictions among the keys of the cluster file.
    fn cluster(&mut self, spec: &Spec, root: &Node) {
        let minor = spec.kubernetes.version.value.minor();
        let unknown = spec.cluster.cluster().settings_not_of(minor);
        for conflict in spec.cluster.conflicts().into_iter().chain(unknown) {
            let node = root.value("cluster").unwrap_or(root);
            let problem = conflict.problem(node);
            self.add(problem.place, format!("cluster: {}", problem.message));
        }
        let known: Vec<&str> =
            spec.manifests.iter().map(|manifest| manifest.value.name.as_str()).collect();
        let nodes = root.value("cluster").map(|node| node.items("skipManifests"));
        for node in nodes.unwrap_or_default() {
            let name = node.text().unwrap_or_default();
            if !known.contains(&name) {
                let cure = match near(name, &known) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => "leave it out".to_owned(),
                };
                let shown = quoted(name);
                let words = format!(
                    "cluster: skipManifests names {shown}, which is not a manifest of this \
                     spec"
                );
                self.add(node.place, format!("{words}: {cure}"));
            }
        }
    }

    /// The pool of a network plugin and `podCidr` must be the same network.
    fn pools(&mut self, spec: &Spec, root: &Node) {
        if !spec.cluster.has("podCidr") {
            return;
        }
        let pods = spec.cluster.cluster().pod_cidr.trunc().to_string();
        for (manifest, node) in spec.manifests.iter().zip(root.items("manifests")) {
            let name = &manifest.value.name;
            for (patch, node) in manifest.value.patches.iter().zip(node.items("patches")) {
                if let Change::PoolCidr(pool) = &patch.change
                    && pool.to_string() != pods
                {
                    self.add(
                        node.place_of("poolCidr"),
                        format!(
                            "manifest `{name}` gets the pool {pool}, but cluster.podCidr is \
                             {pods}: pods would have addresses that the cluster does not know; \
                             write the same network in both"
                        ),
                    );
                }
            }
        }
    }

    /// Each host is there once. With `only`, there must be mirrors.
    fn registries(&mut self, spec: &Spec, root: &Node) {
        let mut hosts = BTreeSet::new();
        for (name, registry) in &spec.registries {
            let Some(node) = root.value("registries").and_then(|node| node.value(name)) else {
                continue;
            };
            if !hosts.insert(usual_host(name)) {
                let words = format!("`{name}` is a host that `registries` has already: keep one");
                self.add(node.place, words);
            }
            if registry.only && registry.mirrors.is_empty() {
                let words = "`only: true` allows mirrors only, but there are none: name them under \
                             `mirrors`, or leave it out";
                self.add(node.place_of("only"), words);
            }
        }
    }
}
