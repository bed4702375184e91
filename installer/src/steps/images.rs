//! The images that the role needs, imported from the bundle into containerd.

use std::collections::BTreeSet;

use bundle_format::layout;
use bundle_format::lock::{LockedImage, Why};

use crate::engine::step::Step;
use crate::host::Host;
use crate::install::{Change, Node, OfInstall};
use crate::intent::Intent;
use crate::node::paths::CONTAINERD_DATA;
use crate::receipt::StepName;
use crate::role::Role;

/// Components that run only on masters, by kubeadm's names.
const OF_MASTERS: [&str; 4] =
    ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd"];

/// Imports the images.
pub struct Images;

impl Step<Intent> for Images {
    fn name(&self) -> StepName {
        StepName::Images
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let missing: Vec<_> =
            missing(node.host, node.intent).iter().map(|image| image.name.clone()).collect();
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![Change::Own(OfInstall::Import { images: missing })])
    }
}

/// The images still to import: all of them if containerd does not answer, as before
/// its first start.
fn missing<'a>(host: &Host, intent: &'a Intent) -> Vec<&'a LockedImage> {
    lacking(intent, &whole(host).unwrap_or_default())
}

/// The images that will take space on the disk; none if that is unknown.
pub(crate) fn to_come<'a>(host: &Host, intent: &'a Intent) -> anyhow::Result<Vec<&'a LockedImage>> {
    Ok(held(host)?.map_or(Vec::new(), |held| lacking(intent, &held)))
}

fn lacking<'a>(intent: &'a Intent, whole: &BTreeSet<String>) -> Vec<&'a LockedImage> {
    let lacks = |image: &&LockedImage| {
        layout::names(image).iter().any(|name| !whole.contains(&name.to_string()))
    };
    of_role(intent).filter(lacks).collect()
}

/// The names of the images on the node: empty if containerd never stored anything,
/// none if it has images and does not list them.
pub fn held(host: &Host) -> anyhow::Result<Option<BTreeSet<String>>> {
    Ok(match whole(host) {
        None if host.has_no_file(CONTAINERD_DATA)? => Some(BTreeSet::new()),
        said => said,
    })
}

/// The bundle's images that this role runs.
fn of_role(intent: &Intent) -> impl Iterator<Item = &LockedImage> {
    let all = intent.lock().images.iter();
    all.filter(move |image| intent.role == Role::Master || !is_of_masters(image))
}

/// Whether only masters run an image.
fn is_of_masters(image: &LockedImage) -> bool {
    image.why.iter().all(
        |why| matches!(why, Why::Kubeadm { component } if OF_MASTERS.contains(&component.as_str())),
    )
}

/// The images that any node may run, each by all its names.
pub(crate) fn of_workers(intent: &Intent) -> Vec<Vec<String>> {
    let all = intent.lock().images.iter().filter(|image| !is_of_masters(image));
    all.map(|image| layout::names(image).iter().map(ToString::to_string).collect()).collect()
}

/// The names of the images that containerd has completely, and unpacked; none if it
/// does not say.
pub(crate) fn whole(host: &Host) -> Option<BTreeSet<String>> {
    let said = host.query("ctr -n k8s.io images check --quiet");
    // One image that it cannot check makes it fail, after it listed the others.
    let answers = said.succeeded() || !said.stdout.is_empty();
    answers.then(|| said.stdout.lines().map(|line| line.trim().to_owned()).collect())
}
