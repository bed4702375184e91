//! The minor releases between the one that clusters have (`kubernetes.from`) and the
//! spec's own: what the spec means for each of them.

use bundle_format::bounds::{MAX_HOPS, OLDEST_UPGRADED};
use bundle_format::version::KubernetesVersion;
use bundle_format::yaml::{Node, Problem};
use serde_saphyr::Spanned;

use super::combination;
use super::file::SpecFile;
use super::kubernetes::KubeadmImages;
use super::repository::Repository;
use super::root::Spec;

/// What stands for the minor release in the URLs of repositories and keys.
const MINOR: &str = "$minor";

/// The minor releases between, the oldest first.
fn between(spec: &Spec) -> impl Iterator<Item = u32> + use<> {
    let last = spec.kubernetes.version.value.minor();
    let from = spec.kubernetes.from.as_ref().map_or(last, |from| from.value.minor());
    from.saturating_add(1)..last
}

/// Writes the minor release into the URLs of `file`, and makes its hops, whose URLs get
/// theirs.
pub(super) fn expand(file: &mut SpecFile) {
    file.hops = between(&file.spec).filter_map(|minor| hop(file, minor)).collect();
    let minor = file.spec.kubernetes.version.value.minor();
    write_minor(&mut file.spec, minor);
}

/// What `file` means for a minor release in between: kubeadm's images and all packages,
/// and nothing that comes with the last release.
fn hop(file: &SpecFile, minor: u32) -> Option<SpecFile> {
    let mut hop = SpecFile { is_hop: true, ..file.clone() };
    hop.spec.manifests.clear();
    hop.spec.images.clear();
    hop.spec.installers = Some(Vec::new());
    hop.spec.kubernetes.from = None;
    write_minor(&mut hop.spec, minor);
    let line = file.spec.kubernetes.from.as_ref()?;
    let value = format!("1.{minor}.0").parse().ok()?;
    hop.spec.kubernetes.version = Spanned { value, ..line.clone() };
    Some(hop)
}

impl SpecFile {
    /// This hop, in the patch release that was found.
    #[must_use]
    pub fn in_release(&self, release: &KubernetesVersion) -> Self {
        let mut file = self.clone();
        file.spec.kubernetes.version.value = release.clone();
        file
    }
}

fn write_minor(spec: &mut Spec, minor: u32) {
    let minor = format!("1.{minor}");
    for repository in spec.targets.iter_mut().flat_map(|target| &mut target.repositories) {
        let urls = repository.base_url.iter_mut().chain(&mut repository.mirror_list);
        for text in urls.chain(&mut repository.keys) {
            *text = text.replace(MINOR, &minor);
        }
    }
}

/// What is wrong with `kubernetes.from`.
pub(super) fn check(spec: &Spec, root: &Node) -> Vec<Problem> {
    let (own, Some(from)) = (&spec.kubernetes, &spec.kubernetes.from) else { return Vec::new() };
    let (from, to) = (&from.value, &own.version.value);
    let Some(node) = root.value("kubernetes") else { return Vec::new() };
    let place = node.place_of("from");
    let one = |words: String| vec![Problem::new(place, words)];
    if from.numbers() > to.numbers() {
        return one(format!(
            "kubernetes.from is {from}, which is newer than the version {to}: write what the \
             clusters have now"
        ));
    }
    let hops: Vec<u32> = between(spec).collect();
    if hops.is_empty() {
        return Vec::new();
    }
    if from.minor() < OLDEST_UPGRADED {
        return one(format!(
            "kubernetes.from is {from}, and the installer upgrades only from 1.{OLDEST_UPGRADED} on"
        ));
    }
    if hops.len() > MAX_HOPS {
        return one(format!(
            "from {from} to {to} there are {} minor releases in between, and a bundle has at most \
             {MAX_HOPS}: make two bundles",
            hops.len()
        ));
    }
    let mut found = Vec::new();
    if own.kubeadm_images == KubeadmImages::Listed {
        found.push(Problem::new(
            node.place_of("kubeadmImages"),
            "`kubeadmImages: listed` has the images of one release only, and `from` needs those of \
             several: leave it out, or make a bundle for each minor release",
        ));
    }
    found.extend(of_one_minor(spec, root));
    for minor in hops {
        let Ok(value) = format!("1.{minor}.0").parse() else { continue };
        let mut hop = spec.clone();
        hop.kubernetes.version.value = value;
        for refusal in combination::refusals(&hop) {
            let words = format!("on the way from {from}, with 1.{minor}: {}", refusal.reason);
            found.push(Problem::new(place, words));
        }
    }
    found
}

/// Repositories whose URLs name the spec's own minor release: they have no packages of
/// those in between.
fn of_one_minor(spec: &Spec, root: &Node) -> Vec<Problem> {
    let minor = format!("v1.{}", spec.kubernetes.version.value.minor());
    let is_of_it = |text: &String| {
        let end = text.split_once(&minor).map(|(_, end)| end);
        end.is_some_and(|end| !end.starts_with(|c: char| c.is_ascii_digit()))
    };
    let mut found = Vec::new();
    for (target, node) in spec.targets.iter().zip(root.items("targets")) {
        for (own, node) in target.repositories.iter().zip(node.items("repositories")) {
            let urls = own.base_url.iter().chain(&own.mirror_list);
            if urls.into_iter().any(is_of_it) && is_of_kubernetes(spec, own) {
                found.push(Problem::new(
                    node.place_of("id"),
                    format!(
                        "repository `{}` has only {minor}, and `kubernetes.from` needs the minor \
                         releases before it: write `v{MINOR}` in its URLs in place of `{minor}`",
                        own.id.value
                    ),
                ));
            }
        }
    }
    found
}

/// Whether the packages of Kubernetes may come from this repository.
fn is_of_kubernetes(spec: &Spec, repository: &Repository) -> bool {
    spec.kubernetes.repository.as_ref().is_none_or(|wanted| *wanted == repository.id.value)
}
