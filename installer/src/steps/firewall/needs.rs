//! What a node must let in, and from whom. What nobody asks from elsewhere needs no rule:
//! the controller manager and the scheduler, and the etcd of a single master.

use std::collections::BTreeMap;
use std::net::IpAddr;

use bundle_format::cluster::{Argument, Scalar};

use crate::intent::Intent;
use crate::receipt::firewalld::Kind;
use crate::role::Role;
use crate::steps::{nfs_server, time};

/// Who is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whom {
    /// Everybody.
    All,
    /// The cluster's machines.
    Nodes,
}

/// What is let in, as options of firewall-cmd have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opening {
    /// What kind of thing it is: a port, a service or a protocol.
    pub(crate) kind: Kind,
    /// The port, service or protocol.
    pub(crate) word: String,
}

/// kubelet's port.
pub(crate) const KUBELET: &str = "10250/tcp";
/// Open on every node: kube-proxy's health check, which load balancers ask, and
/// NodePorts (kubernetes.io, "Ports and Protocols").
const OF_ALL: [&str; 3] = ["10256/tcp", "30000-32767/tcp", "30000-32767/udp"];
/// Open on every node for the other nodes: kubelet; Calico's BGP, VXLAN, Typha and
/// WireGuard (docs.tigera.io, "System requirements"); flannel's VXLAN.
const OF_NODES: [&str; 6] = [KUBELET, "179/tcp", "4789/udp", "5473/tcp", "51820/udp", "8472/udp"];
/// Calico's IP in IP, by its number: `ipip` is another protocol in `/etc/protocols`.
const IP_IN_IP: &str = "4";
/// What keepalived of one master tells the others (`/etc/protocols`).
const VRRP: &str = "vrrp";
/// The API server.
const API: &str = "6443/tcp";
/// etcd, for its other members.
const ETCD: &str = "2379-2380/tcp";
/// NTP, for nodes that follow the master's clock.
const TIME: &str = "123/udp";
/// The ingress on the host's network.
const OF_INGRESS: [&str; 2] = ["80/tcp", "443/tcp"];
/// The webhook of ingress-nginx, which the API server calls.
const ADMISSION: &str = "8443/tcp";
/// firewalld's services for NFS, versions 3 and 4.
const OF_NFS: [&str; 3] = ["nfs", "mountd", "rpc-bind"];

/// Ports that are open for everybody, on each node of a role.
pub(crate) fn for_all(role: Role) -> impl Iterator<Item = Opening> {
    let api = (role == Role::Master).then_some(API);
    OF_ALL.into_iter().chain(api).map(port)
}

/// All that a node must let in.
pub(super) fn of(intent: &Intent) -> Vec<(Whom, Opening)> {
    let cluster = &intent.cluster;
    let mut for_all: Vec<Opening> = for_all(intent.role).collect();
    let mut for_nodes: Vec<Opening> = OF_NODES.into_iter().map(port).collect();
    for_nodes.push(Opening { kind: Kind::Protocol, word: IP_IN_IP.to_owned() });
    if intent.role == Role::Master {
        if intent.may_have_more_masters() {
            for_nodes.push(port(ETCD));
        }
        if time::serves(intent) {
            for_nodes.push(port(TIME));
        }
        if cluster.control_plane.is_some() {
            for_nodes.push(Opening { kind: Kind::Protocol, word: VRRP.to_owned() });
        }
        let kubeadm = &cluster.kubeadm;
        let parts = [(&kubeadm.controller_manager, "10257"), (&kubeadm.scheduler, "10259")];
        for_nodes.extend(parts.into_iter().filter_map(|(one, usual)| reachable(one, usual)));
    }
    if cluster.has_ingress_on(&intent.name) {
        for_all.extend(OF_INGRESS.into_iter().map(port));
        for_nodes.push(port(ADMISSION));
    }
    if nfs_server::served(intent).is_some() {
        let service = |name: &str| Opening { kind: Kind::Service, word: name.to_owned() };
        for_nodes.extend(OF_NFS.map(service));
    }
    let all = for_all.into_iter().map(|one| (Whom::All, one));
    all.chain(for_nodes.into_iter().map(|one| (Whom::Nodes, one))).collect()
}

fn port(word: &str) -> Opening {
    Opening { kind: Kind::Port, word: word.to_owned() }
}

/// The port of a control plane's component. None if it listens on the loopback, its
/// default.
fn reachable(arguments: &BTreeMap<Argument, Scalar>, usual: &str) -> Option<Opening> {
    let value = |name: &str| {
        let found = arguments.iter().find(|(argument, _)| argument.as_ref() == name);
        found.map(|(_, value)| value.as_ref())
    };
    let address: IpAddr = value("bind-address")?.parse().ok()?;
    let number = value("secure-port").unwrap_or(usual);
    (!address.is_loopback()).then(|| port(&format!("{number}/tcp")))
}
