//! What a rehearsal found: the attempts of all nodes, each with who made it.

use std::collections::{BTreeMap, BTreeSet};

use bundle_format::{ImageReference, Lock};

use super::pods::{Pods, State};
use super::socket_owner::Owner;
use super::watch::{Destination, Seen, Sender};

/// The program that pulls images.
const RUNTIME: &str = "containerd";

/// What a rehearsal found.
#[derive(Debug, Default)]
pub struct Findings {
    /// Images that pods waited for and the bundle does not have, each with these pods.
    pub(super) lacking: BTreeMap<String, BTreeSet<String>>,
    /// Images that pods waited for although the bundle has them.
    pub(super) pulled_anyway: BTreeMap<String, Pulled>,
    /// Names that no DNS server knew, each with who asked.
    pub(super) names: BTreeMap<String, BTreeSet<String>>,
    /// Addresses outside, each with who looked for it.
    pub(super) connections: BTreeMap<Destination, BTreeSet<String>>,
    /// Pods that did not become Ready for another reason.
    pub(super) pods: BTreeMap<String, String>,
    /// How many pods there were at the end.
    pub(super) count: usize,
    /// Packets that nobody looked at.
    pub(super) unseen: u64,
    /// What stopped the installation.
    pub(super) failure: Option<String>,
}

/// An image that was pulled although it was there.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pulled {
    pub(super) pods: BTreeSet<String>,
    /// The bundle's manifests that name it.
    pub(super) manifests: Vec<String>,
}

impl Findings {
    /// Whether all went well, and nobody looked for anything that is not there.
    pub fn is_clean(&self) -> bool {
        self.lacking.is_empty()
            && self.pulled_anyway.is_empty()
            && self.names.is_empty()
            && self.connections.is_empty()
            && self.pods.is_empty()
            && self.unseen == 0
            && self.failure.is_none()
    }

    /// What is to be said of what was seen, and of the pods.
    pub(super) fn of(lock: &Lock, seen: &Seen, pods: &Pods) -> Self {
        let mut findings = Self { count: pods.now.len(), ..Self::default() };
        for (image, wanted_by) in &pods.pulls {
            match in_bundle(lock, image) {
                None => {
                    findings.lacking.insert(image.clone(), wanted_by.clone());
                }
                Some(name) => {
                    let manifests = lock.manifests.iter().filter(|one| one.images.contains(name));
                    let manifests = manifests.map(|one| one.name.clone()).collect();
                    let pulled = Pulled { pods: wanted_by.clone(), manifests };
                    findings.pulled_anyway.insert(image.clone(), pulled);
                }
            }
        }
        // What containerd looks for then is what these images are pulled from.
        let is_told = |sender: &Sender| !pods.pulls.is_empty() && is_runtime(sender);
        let asked = seen.asked.iter().filter(|(sender, name)| {
            !is_told(sender) && !is_of_cluster(name) && !seen.answered.contains(name)
        });
        findings.names = by_what(asked, pods);
        let connections = seen.connections.iter().filter(|(sender, _)| !is_told(sender));
        findings.connections = by_what(connections, pods);
        for (pod, state) in &pods.now {
            if let State::Stuck(why) | State::Underway(why) = state {
                findings.pods.insert(pod.clone(), why.clone());
            }
        }
        findings
    }
}

/// The name by which the bundle has an image.
fn in_bundle<'a>(lock: &'a Lock, image: &str) -> Option<&'a ImageReference> {
    let wanted: ImageReference = image.parse().ok()?;
    let mut names = lock.images.iter().map(|one| (&one.name, one.root.digest));
    let found = names.find(|(name, digest)| {
        let is_same_place =
            name.registry() == wanted.registry() && name.repository() == wanted.repository();
        is_same_place
            && match wanted.digest() {
                Some(wanted) => wanted == *digest,
                None => name.tag() == wanted.tag(),
            }
    });
    found.map(|(name, _)| name)
}

fn is_runtime(sender: &Sender) -> bool {
    matches!(sender, Sender::Node { owner: Some(Owner::Program(name)), .. } if name == RUNTIME)
}

/// Whether a name is one of the cluster's own, or an address turned into a name. A
/// resolver tries names of the cluster first (resolv.conf(5), `ndots`).
fn is_of_cluster(name: &str) -> bool {
    name.ends_with(".cluster.local") || name.ends_with(".arpa")
}

/// Who did what, by what they did. Who only passed it on is left out if it is known
/// where it came from: the cluster's DNS servers, and nodes that give pods' packets
/// their own address.
fn by_what<'a, T: Clone + Ord + 'a>(
    all: impl Iterator<Item = &'a (Sender, T)>,
    pods: &Pods,
) -> BTreeMap<T, BTreeSet<String>> {
    let mut known: BTreeMap<T, BTreeSet<String>> = BTreeMap::new();
    let mut passed_on: BTreeMap<T, BTreeSet<String>> = BTreeMap::new();
    for (sender, what) in all {
        let (who, is_origin) = name(sender, pods);
        let map = if is_origin { &mut known } else { &mut passed_on };
        map.entry(what.clone()).or_default().insert(who);
    }
    for (what, who) in passed_on {
        known.entry(what).or_insert(who);
    }
    known
}

/// What a person calls a sender, and whether it is where the packet comes from.
fn name(sender: &Sender, pods: &Pods) -> (String, bool) {
    let pod = match sender {
        Sender::Address(address) => match pods.by_address(*address) {
            Some(pod) => pod,
            None => return (format!("a pod that had the address {address}"), true),
        },
        Sender::Node { node, owner: None } => return (node.clone(), false),
        Sender::Node { node, owner: Some(Owner::Program(program)) } => {
            return (format!("`{program}` on {node}"), true);
        }
        Sender::Node { node, owner: Some(Owner::Pod(uid)) } => match pods.by_uid(uid) {
            Some(pod) => pod,
            None => return (format!("a pod on {node} that is gone"), true),
        },
    };
    (format!("pod {}", pod.name), !pod.is_dns)
}
