//! What a rehearsal found: the attempts of all nodes, each with who made it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use bundle_format::{ImageReference, Lock};

use super::pods::{Pods, State};
use super::socket_owner::Owner;
use super::watch::{Destination, Seen, Sender};

/// The program that pulls images.
const RUNTIME: &str = "containerd";

/// Where clouds tell a machine about itself. Some kubelets ask whether they are on AWS
/// (kubernetes#92162).
const CLOUD: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);

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
    /// Kubelets that looked for a cloud, which no bundle can bring.
    pub(super) kubelets: BTreeSet<String>,
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

    /// What the packets and the pods' states show.
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
        let is_told = |sender: &Sender| !pods.pulls.is_empty() && is_program(sender, RUNTIME);
        let registries = registries(pods);
        let asked = seen.asked.iter().filter(|(sender, name)| {
            let is_registry = matches!(sender, Sender::Node { .. }) && registries.contains(name);
            let is_told = is_told(sender) || is_registry;
            !is_told && !is_of_cluster(name) && !seen.answered.contains(name)
        });
        findings.names = by_what(asked, pods);
        let connections = seen.connections.iter().filter(|(sender, _)| !is_told(sender));
        for (to, who) in by_what(connections, pods) {
            let is_kubelet = |one: &String| to.address == CLOUD && one.starts_with("`kubelet` ");
            let (kubelets, others): (BTreeSet<_>, BTreeSet<_>) =
                who.into_iter().partition(is_kubelet);
            findings.kubelets.extend(kubelets);
            if !others.is_empty() {
                findings.connections.insert(to, others);
            }
        }
        for (pod, state) in &pods.now {
            if let State::Stuck(why) | State::Underway(why) = state {
                findings.pods.insert(pod.clone(), why.clone());
            }
        }
        findings
    }
}

/// The hosts that images were pulled from.
fn registries(pods: &Pods) -> BTreeSet<String> {
    let images = pods.pulls.keys().filter_map(|image| image.parse::<ImageReference>().ok());
    let host = |image: ImageReference| {
        let registry = image.registry();
        registry.split(':').next().unwrap_or(registry).to_ascii_lowercase()
    };
    images.map(host).collect()
}

/// The image's name in the bundle.
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

fn is_program(sender: &Sender, wanted: &str) -> bool {
    matches!(sender, Sender::Node { owner: Some(Owner::Program(name)), .. } if name == wanted)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lock() -> Lock {
        let digest = format!("sha256:{}", "0a".repeat(32));
        let descriptor = json!({"digest": digest, "size": 1, "mediaType": "a/b"});
        let image = json!({"name": "example.com/a:1", "source": "example.com/a:1",
            "root": descriptor, "platforms": [], "why": []});
        let manifest = json!({"name": "app", "source": "app.yaml", "upstream": descriptor,
            "applied": descriptor, "images": ["example.com/a:1"]});
        let lock = json!({"lockVersion": 1, "name": "x", "spec": digest, "kubernetes": "1.28.2",
            "targets": [], "rpms": [], "images": [image], "manifests": [manifest], "files": []});
        serde_json::from_value(lock).unwrap()
    }

    fn node(owner: Option<&str>) -> Sender {
        let owner = owner.map(|name| Owner::Program(name.to_owned()));
        Sender::Node { node: "node1".to_owned(), owner }
    }

    #[test]
    fn an_image_of_the_bundle_is_known_by_tag_and_by_digest() {
        let lock = lock();
        let digest = lock.images[0].root.digest;
        let found = |image: &str| in_bundle(&lock, image).is_some();
        assert!(found("example.com/a:1"));
        assert!(found(&format!("example.com/a@{digest}")));
        assert!(found(&format!("example.com/a:2@{digest}")));
        for absent in ["example.com/a:2", "example.com/a", "docker.io/a:1", "A", ""] {
            assert!(!found(absent), "{absent}");
        }
    }

    #[test]
    fn what_is_pulled_anyway_is_told_with_its_manifest() {
        let mut pods = Pods::default();
        for image in ["example.com/a:1", "example.com/b:1"] {
            pods.pulls.insert(image.to_owned(), ["default/x".to_owned()].into());
        }
        let findings = Findings::of(&lock(), &Seen::default(), &pods);
        assert_eq!(findings.lacking.keys().collect::<Vec<_>>(), ["example.com/b:1"]);
        assert_eq!(findings.pulled_anyway["example.com/a:1"].manifests, ["app"]);
        assert!(!findings.is_clean());
    }

    #[test]
    fn what_is_only_passed_on_is_told_of_its_origin() {
        let to = |address: [u8; 4]| Destination {
            address: address.into(),
            port: Some(80),
            protocol: "tcp",
        };
        let (first, second, cloud) =
            (to([192, 0, 2, 1]), to([192, 0, 2, 2]), to([169, 254, 169, 254]));
        let pod = Sender::Address([10, 244, 0, 5].into());
        let mut seen = Seen::default();
        seen.connections = [
            (pod.clone(), first),
            (node(None), first),
            (node(None), second),
            (node(Some("containerd")), second),
            (node(Some("kubelet")), cloud),
            (node(None), cloud),
        ]
        .into();
        seen.asked = [
            (pod.clone(), "example.com".to_owned()),
            (pod.clone(), "known.example".to_owned()),
            (pod, "example.com.default.svc.cluster.local".to_owned()),
        ]
        .into();
        seen.answered = ["known.example".to_owned()].into();
        let findings = Findings::of(&lock(), &seen, &Pods::default());
        let by = |to: &Destination| findings.connections[to].iter().collect::<Vec<_>>();
        assert_eq!(by(&first), ["a pod that had the address 10.244.0.5"]);
        assert_eq!(by(&second), ["`containerd` on node1"]);
        assert_eq!(findings.connections.len(), 2);
        assert_eq!(findings.names.keys().collect::<Vec<_>>(), ["example.com"]);
        assert_eq!(findings.kubelets, ["`kubelet` on node1".to_owned()].into());
    }

    #[test]
    fn a_kubelet_that_looks_for_a_cloud_is_no_fault_of_the_bundle() {
        let mut seen = Seen::default();
        let to = Destination { address: CLOUD, port: Some(80), protocol: "tcp" };
        seen.connections.insert((node(Some("kubelet")), to));
        assert!(Findings::of(&lock(), &seen, &Pods::default()).is_clean());
        seen.connections.insert((node(Some("curl")), to));
        assert!(!Findings::of(&lock(), &seen, &Pods::default()).is_clean());
    }
}
