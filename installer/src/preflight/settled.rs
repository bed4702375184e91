//! Settings that are fixed once a node has joined. A later run that asks for others
//! is refused: kubeadm would not change them, and a half-changed node is worse than
//! an unchanged one.

use bundle_format::cluster::ProxyMode;
use serde_json::Value;

use crate::failure::Failure;
use crate::host::Host;
use crate::intent::Intent;
use crate::node::kubeadm::{self, Documents};
use crate::node::paths;
use crate::receipt::StepName;
use crate::role::Role;

/// The document's kind, the place in it, our name for the setting, and the cure.
const SETTLED: [(&str, &str, &str, Cure); 18] = [
    ("ClusterConfiguration", "kubernetesVersion", "Kubernetes", Cure::Bundle),
    ("ClusterConfiguration", "networking.podSubnet", "podCidr", Cure::Cluster),
    ("ClusterConfiguration", "networking.serviceSubnet", "serviceCidr", Cure::Cluster),
    ("ClusterConfiguration", "controlPlaneEndpoint", "endpoint", Cure::Cluster),
    ("ClusterConfiguration", "apiServer", "kubeadm.apiServer", Cure::Parts),
    ("ClusterConfiguration", "controllerManager", "kubeadm.controllerManager", Cure::Parts),
    ("ClusterConfiguration", "scheduler", "kubeadm.scheduler", Cure::Parts),
    ("KubeProxyConfiguration", "mode", "proxyMode", Cure::Cluster),
    ("KubeletConfiguration", "cgroupDriver", "cgroupDriver", Cure::Cluster),
    ("InitConfiguration", "localAPIEndpoint.advertiseAddress", "the node's address", Cure::Node),
    ("InitConfiguration", "nodeRegistration.name", "the node's name", Cure::Node),
    ("JoinConfiguration", "discovery.bootstrapToken.caCertHashes", "the authority", Cure::Node),
    (
        "JoinConfiguration",
        "nodeRegistration.kubeletExtraArgs.node-ip",
        "the node's address",
        Cure::Node,
    ),
    ("JoinConfiguration", "nodeRegistration.name", "the node's name", Cure::Node),
    ("InitConfiguration", "nodeRegistration.kubeletExtraArgs.node-labels", "labels", Cure::Kubectl),
    ("InitConfiguration", "nodeRegistration.taints", "taints", Cure::Kubectl),
    ("JoinConfiguration", "nodeRegistration.kubeletExtraArgs.node-labels", "labels", Cure::Kubectl),
    ("JoinConfiguration", "nodeRegistration.taints", "taints", Cure::Kubectl),
];

/// How to change a fixed setting.
#[derive(Clone, Copy)]
enum Cure {
    Bundle,
    Cluster,
    Node,
    Parts,
    Kubectl,
}

impl Cure {
    fn text(self) -> &'static str {
        match self {
            Self::Bundle => {
                "`installer upgrade` takes a node to the next version; else use the bundle that the \
                 node was made with"
            }
            Self::Cluster => {
                "put the old value back into the cluster file, or make a new cluster: `installer \
                 reset` on each of its nodes, and begin again"
            }
            Self::Parts => {
                "put the old arguments back into the cluster file; a live control plane has them \
                 in /etc/kubernetes/manifests"
            }
            Self::Kubectl => {
                "put the old ones back into the cluster file; on the master, `kubectl label node` \
                 and `kubectl taint node` change those of a live node"
            }
            Self::Node => {
                "use the old one, or let the node join again: `kubectl delete node` on the \
                 master, `installer reset` here, and run this again"
            }
        }
    }
}

/// Fixed settings that are asked for with other values.
pub fn problems(host: &Host, intent: &Intent) -> Vec<Failure> {
    let is_master = host.exists(paths::ADMIN_CONF) && !host.was_interrupted(StepName::ControlPlane);
    let is_worker = host.exists(paths::KUBEADM_JOINED)
        && host.exists(paths::KUBELET_CONF)
        && !host.was_interrupted(StepName::Join)
        && !host.was_interrupted(StepName::ControlPlane);
    let was = match (is_master, is_worker) {
        (true, _) => Role::Master,
        (false, true) => Role::Worker,
        (false, false) => return Vec::new(),
    };
    if was != intent.role {
        return vec![Failure::new(
            format!("this node is a {was}, and cannot become a {}", intent.role),
            "run `installer reset` first; a node has one role",
        )];
    }
    let has_joined = is_master && host.exists(paths::KUBEADM_JOINED);
    if has_joined && intent.join.is_none() && intent.upgrade.is_none() {
        return vec![Failure::new(
            "this master has joined its cluster by a join file, and none is given",
            "give it with --join; one that has expired will do, and `installer token --for master` \
             makes a new one",
        )];
    }
    let path = if is_master { paths::KUBEADM_CONFIG } else { paths::KUBEADM_JOINED };
    let settings = intent.settings();
    let wanted = match &intent.join {
        Some(join) if !is_master => kubeadm::joined_configuration(&settings, join),
        _ => kubeadm::init_configuration(&settings),
    };
    // If somebody changed or removed the file, nothing can be compared.
    let (Ok(Some(before)), Ok(wanted)) = (host.read(path), wanted) else { return Vec::new() };
    let (before, wanted) = (Documents::of(&before), Documents::of(&wanted));
    let differs = |(kind, place, name, cure): &(&str, &str, &str, Cure)| {
        if intent.upgrade.is_some() && matches!(cure, Cure::Bundle) {
            return None;
        }
        let (old, new) = (shown(&before, kind, place)?, shown(&wanted, kind, place)?);
        let what = format!("{name} is {old} on this node, and cannot become {new}");
        (old != new).then(|| Failure::new(what, cure.text()))
    };
    SETTLED.iter().filter_map(differs).collect()
}

/// A value as text; none if the document is missing.
fn shown(documents: &Documents, kind: &str, place: &str) -> Option<String> {
    if kind == "KubeProxyConfiguration" && !documents.have(kind) {
        // Earlier versions left the document out for iptables.
        return (!documents.are_none()).then(|| ProxyMode::Iptables.to_string());
    }
    if !documents.have(kind) {
        return None;
    }
    Some(match documents.value(kind, place) {
        None => "nothing".to_owned(),
        Some(Value::String(text)) => text,
        Some(other) => other.to_string(),
    })
}
