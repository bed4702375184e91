//! What the API server knows of the node.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use bundle_format::cluster::NodeName;
use bundle_format::version::VersionError;
use bundle_format::{ImageReference, KubernetesVersion};
use serde::Deserialize;
use serde_json::Value;

use crate::exec::{Command, Output};
use crate::host::Host;
use crate::node::certificates::kubelet;
use crate::node::join::Master;
use crate::node::paths::{ADMIN_CONF, KUBELET_CONF};

/// The label by which kubeadm marks a node as a master, when all else of it is done.
pub(crate) const MASTER: &str = "node-role.kubernetes.io/control-plane";

/// The path of all nodes at the API server. A node's own path is this one and its name.
const ALL_NODES: &str = "/api/v1/nodes";

/// What the API server says of the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The status of its condition `Ready`: `True`, `False` or `Unknown`.
    pub ready: String,
    /// Why, in kubelet's words.
    pub message: String,
    /// kubelet's version when it last registered: `v1.28.2`.
    pub kubelet: String,
}

/// The node's name: from its certificate, else its host name in the form that kubelet
/// uses.
pub fn name(host: &Host) -> String {
    let of_certificate = || {
        let client = kubelet::client(host).ok()?.into_iter().next()?;
        client.common_name?.strip_prefix("system:node:").map(str::to_owned)
    };
    of_certificate().unwrap_or_else(|| {
        let own = host.read("/proc/sys/kernel/hostname").ok().flatten();
        own.unwrap_or_default().trim().to_lowercase()
    })
}

/// Asks the API server with kubelet's kubeconfig; none if it does not know the node.
/// An error is in kubectl's words.
pub fn ask(host: &Host) -> Result<Option<Registered>, String> {
    match get(host, &format!("{ALL_NODES}/{}", name(host))) {
        Ok(text) => parse(&text).map(Some).ok_or_else(|| "the answer is no node".to_owned()),
        Err(reason) if reason.contains("(NotFound)") => Ok(None),
        Err(reason) => Err(reason),
    }
}

/// The addresses of all nodes that the API server knows. Errors as [`ask`].
pub fn addresses(host: &Host) -> Result<Vec<IpAddr>, String> {
    Ok(list(host)?.iter().flat_map(Node::addresses).collect())
}

/// The masters. Errors as [`ask`].
pub fn masters(host: &Host) -> Result<Vec<Master>, String> {
    let nodes = list(host)?;
    let masters = nodes.iter().filter(|node| node.metadata.labels.contains_key(MASTER));
    Ok(masters.filter_map(Node::master).collect())
}

/// Whether a node is Ready, asked with this kubeconfig: the administrator's, or the node's own.
/// If the API server does not answer, this is false.
pub(crate) fn is_ready(host: &Host, config: &str, name: &NodeName) -> bool {
    let node: Option<Node> = if config == ADMIN_CONF {
        // Other steps ask for all nodes too.
        let mut nodes = list(host).unwrap_or_default().into_iter();
        nodes.find(|node| node.metadata.name == name.to_string())
    } else {
        serde_json::from_str(&host.ask_once(&own_node(name)).stdout).ok()
    };
    node.is_some_and(|node| node.status.ready().is_some_and(|ready| ready.status == "True"))
}

/// The question for a node, asked as its kubelet.
pub(crate) fn own_node(name: &NodeName) -> Command {
    question(KUBELET_CONF, &format!("{ALL_NODES}/{name}"))
}

/// All nodes. A kubelet may see its own node only (Kubernetes 1.32,
/// `AuthorizeNodeWithSelectors`), so a master asks as its administrator.
fn list(host: &Host) -> Result<Vec<Node>, String> {
    let config = if host.exists(ADMIN_CONF) { ADMIN_CONF } else { KUBELET_CONF };
    let list: List<Node> =
        serde_json::from_str(&answer(host.ask_once(&question(config, ALL_NODES)))?)
            .map_err(|_| "the answer is not a list of nodes".to_owned())?;
    Ok(list.items)
}

/// The API server's version. Errors as [`ask`].
pub fn api_version(host: &Host) -> Result<KubernetesVersion, String> {
    version(&get(host, "/version")?)
}

/// The oldest version of all API servers: the one that answers may be newer than another
/// master's. Errors as [`ask`].
pub(crate) fn oldest_api_version(host: &Host) -> Result<KubernetesVersion, String> {
    let mut all = vec![api_version(host)?];
    let path = "/api/v1/namespaces/default/endpoints/kubernetes";
    let endpoints: Endpoints = serde_json::from_str(&get(host, path)?)
        .map_err(|_| "the answer is not a list of endpoints".to_owned())?;
    for subset in endpoints.subsets {
        for (address, port) in subset.addresses.iter().zip(subset.ports.iter().cycle()) {
            let at = SocketAddr::new(address.ip, port.port);
            let own = format!("{KUBELET_CONF} --server https://{at}");
            all.push(version(&get_as(host, &own, "/version")?)?);
        }
    }
    let oldest = all.into_iter().min_by_key(KubernetesVersion::numbers);
    oldest.ok_or_else(|| "no API server answers".to_owned())
}

fn version(answer: &str) -> Result<KubernetesVersion, String> {
    let answer: Version =
        serde_json::from_str(answer).map_err(|_| "the answer is no version".to_owned())?;
    let text = answer.git_version.trim_start_matches('v');
    text.parse().map_err(|error: VersionError| error.to_string())
}

/// A program of Kubernetes in the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Versioned {
    /// Its node; none if that is unknown.
    pub(crate) node: Option<String>,
    /// Its version.
    pub(crate) version: KubernetesVersion,
}

impl fmt::Display for Versioned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.node {
            Some(node) => write!(f, "the API server of {node} ({})", self.version),
            None => write!(f, "the API server, {}", self.version),
        }
    }
}

/// All API servers, by their pods. Only a master may ask. Errors as [`ask`].
pub(crate) fn api_servers(host: &Host) -> Result<Vec<Versioned>, String> {
    let of_pod = |pod: Pod| {
        let image = pod.image()?;
        versioned(pod.spec.node_name, image.tag()?)
    };
    Ok(pods(host, "kube-apiserver")?.into_iter().filter_map(of_pod).collect())
}

/// The images of etcd on the other masters, as far as it is ready there. Only a master may
/// ask. Errors as [`ask`].
pub(crate) fn etcds_elsewhere(host: &Host) -> Result<Vec<ImageReference>, String> {
    let own = name(host);
    let mut all = pods(host, "etcd")?;
    all.retain(|pod| pod.is_ready() && pod.spec.node_name != own);
    Ok(all.iter().filter_map(Pod::image).collect())
}

/// The pods of a part of the control plane.
fn pods(host: &Host, component: &str) -> Result<Vec<Pod>, String> {
    let path = format!("/api/v1/namespaces/kube-system/pods?labelSelector=component%3D{component}");
    let list: List<Pod> = serde_json::from_str(&get_as(host, ADMIN_CONF, &path)?)
        .map_err(|_| "the answer is not a list of pods".to_owned())?;
    Ok(list.items)
}

/// All kubelets, as they were when they last registered. Errors as [`ask`].
pub(crate) fn kubelets(host: &Host) -> Result<Vec<Versioned>, String> {
    let of_node =
        |node: Node| versioned(node.metadata.name, &node.status.node_info.kubelet_version);
    Ok(list(host)?.into_iter().filter_map(of_node).collect())
}

/// The kubelet of a node, from its object as kubectl gives it; none if it has not registered.
pub(crate) fn kubelet_of(node: &Value) -> Option<Versioned> {
    let name = node.pointer("/metadata/name")?.as_str()?;
    versioned(name.to_owned(), node.pointer("/status/nodeInfo/kubeletVersion")?.as_str()?)
}

fn versioned(node: String, version: &str) -> Option<Versioned> {
    let version = version.trim_start_matches('v').parse().ok()?;
    Some(Versioned { node: Some(node), version })
}

/// Asks for `path` as kubelet. An error is in kubectl's words.
fn get(host: &Host, path: &str) -> Result<String, String> {
    get_as(host, KUBELET_CONF, path)
}

/// The same with another kubeconfig.
fn get_as(host: &Host, config: &str, path: &str) -> Result<String, String> {
    answer(host.ask(&question(config, path)))
}

fn answer(said: Output) -> Result<String, String> {
    if said.succeeded() {
        return Ok(said.stdout);
    }
    let reason = said.reason().unwrap_or("kubectl failed");
    Err(reason.trim_start_matches("error: ").to_owned())
}

/// `get --raw` skips discovery, which kubectl would cache in files.
fn question(config: &str, path: &str) -> Command {
    Command::of(&format!("kubectl --kubeconfig {config} --request-timeout 10s get --raw {path}"))
}

/// Kubernetes' `version.Info`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    git_version: String,
}

/// Kubernetes' `Endpoints`.
#[derive(Deserialize)]
struct Endpoints {
    #[serde(default)]
    subsets: Vec<Subset>,
}

#[derive(Deserialize)]
struct Subset {
    #[serde(default)]
    addresses: Vec<Ip>,
    ports: Vec<Port>,
}

#[derive(Deserialize)]
struct Ip {
    ip: IpAddr,
}

#[derive(Deserialize)]
struct Port {
    port: u16,
}

/// Kubernetes' `NodeList`, or `PodList`.
#[derive(Deserialize)]
struct List<T> {
    items: Vec<T>,
}

/// Kubernetes' `Pod`.
#[derive(Deserialize)]
struct Pod {
    spec: PodSpec,
    #[serde(default)]
    status: PodStatus,
}

impl Pod {
    fn image(&self) -> Option<ImageReference> {
        self.spec.containers.first()?.image.parse().ok()
    }

    fn is_ready(&self) -> bool {
        let ready = self.status.conditions.iter().find(|one| one.kind == "Ready");
        ready.is_some_and(|one| one.status == "True")
    }
}

#[derive(Default, Deserialize)]
struct PodStatus {
    #[serde(default)]
    conditions: Vec<Condition>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PodSpec {
    #[serde(default)]
    node_name: String,
    containers: Vec<Container>,
}

#[derive(Deserialize)]
struct Container {
    image: String,
}

/// Kubernetes' `Node` (kubernetes.io, "Node v1").
#[derive(Deserialize)]
struct Node {
    #[serde(default)]
    metadata: Metadata,
    status: Status,
}

impl Node {
    fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let own = self.status.addresses.iter().filter(|one| one.kind == "InternalIP");
        own.filter_map(|one| one.address.parse().ok())
    }

    fn master(&self) -> Option<Master> {
        let name = self.metadata.name.clone().try_into().ok()?;
        Some(Master { name, address: self.addresses().next()? })
    }
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    name: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    #[serde(default)]
    conditions: Vec<Condition>,
    #[serde(default)]
    addresses: Vec<Address>,
    node_info: Info,
}

impl Status {
    fn ready(&self) -> Option<&Condition> {
        self.conditions.iter().find(|one| one.kind == "Ready")
    }
}

#[derive(Deserialize)]
struct Address {
    #[serde(rename = "type")]
    kind: String,
    address: String,
}

#[derive(Clone, Deserialize)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Info {
    kubelet_version: String,
}

fn parse(text: &str) -> Option<Registered> {
    let status = serde_json::from_str::<Node>(text).ok()?.status;
    let Condition { status: ready, message, .. } = status.ready()?.clone();
    Some(Registered { ready, message, kubelet: status.node_info.kubelet_version })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_servers_words_are_read() {
        let node = serde_json::json!({"metadata": {"name": "b"}, "status": {
            "nodeInfo": {"kubeletVersion": "v1.28.2"}, "addresses": [
            {"type": "Hostname", "address": "b"}, {"type": "InternalIP", "address": "10.0.0.3"}]}});
        let read = serde_json::from_value::<Node>(node).unwrap().master().unwrap();
        assert_eq!((String::from(read.name), read.address), ("b".to_owned(), [10, 0, 0, 3].into()));
    }
}
