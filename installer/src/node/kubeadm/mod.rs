//! kubeadm's configuration files, in the API version of each Kubernetes release.

mod kept;
mod own_server;
mod release;

use std::net::IpAddr;

use anyhow::Context;
use bundle_format::cluster::{Cluster, NodeName, Taint};
use bundle_format::kubeadm::{ConfigVersion, refuses_cgroup_v1};
use bundle_format::{ImageReference, KubernetesVersion};
use serde_json::{Value, json};

use crate::host::Host;
use crate::node::join::JoinFile;
use crate::node::paths::{KUBEADM_CONFIG, KUBELET, KUBERNETES};

pub(crate) use self::kept::{Documents, Kept};
pub(crate) use self::own_server::{may_have_other_masters, own_kubectl, own_readyz};
pub(crate) use self::release::image_repository;
pub use self::release::taints_of_masters;

/// kubeadm's own reset. It ends pods, and empties kubeadm's folders.
pub(crate) const RESET: &str = "kubeadm reset --force --cri-socket /run/containerd/containerd.sock";

/// Folders that kubeadm, kubelet and the pods' networks fill.
pub(crate) const FOLDERS: [&str; 4] =
    [KUBERNETES, "/usr/libexec/kubernetes", "/var/lib/cni", KUBELET];

/// How long a node looks for a cluster that accepts its token.
const DISCOVERY: &str = "1m0s";
/// How long a further master tries to become a member of etcd, which takes one new
/// member at a time.
const ETCD: &str = "10m0s";

/// What kubeadm must know of a node and its cluster.
#[derive(Clone)]
pub struct Settings<'a> {
    /// The Kubernetes version.
    pub kubernetes: &'a KubernetesVersion,
    /// The sandbox image. kubeadm's other images are in the same repository.
    pub sandbox: Option<&'a ImageReference>,
    /// The cluster.
    pub cluster: &'a Cluster,
    /// The API server for all nodes, `HOST:PORT`.
    pub endpoint: String,
    /// The node's name.
    pub name: &'a NodeName,
    /// The node's address.
    pub address: IpAddr,
    /// Whether the node's control groups are of version 1.
    pub cgroup_v1: bool,
}

/// The option that gives kubeadm the installer's configuration file; empty if there
/// is no such file.
pub(crate) fn config_option(host: &Host) -> String {
    if host.exists(KUBEADM_CONFIG) { format!(" --config {KUBEADM_CONFIG}") } else { String::new() }
}

/// The documents for `kubeadm init`.
pub fn init_configuration(settings: &Settings<'_>) -> anyhow::Result<String> {
    let init = json!({
        "apiVersion": ConfigVersion::of(settings.kubernetes).to_string(),
        "kind": "InitConfiguration",
        "localAPIEndpoint": local_endpoint(settings),
        "nodeRegistration": registration(settings),
    });
    render(&[cluster(settings), init, kubelet(settings), proxy(settings)])
}

/// The document for `kubeadm join`. It holds the token, and a further master's key.
pub fn join_configuration(settings: &Settings<'_>, join: &JoinFile) -> anyhow::Result<String> {
    render(&[join_document(settings, join, Secrets::Written)])
}

/// What a node keeps of how it joined, without the secrets.
pub fn joined_configuration(settings: &Settings<'_>, join: &JoinFile) -> anyhow::Result<String> {
    let joined = join_document(settings, join, Secrets::LeftOut);
    render(&[cluster(settings), joined, kubelet(settings), proxy(settings)])
}

/// Where this master's own API server listens.
fn local_endpoint(settings: &Settings<'_>) -> Value {
    json!({"advertiseAddress": settings.address.to_string(), "bindPort": 6443})
}

fn cluster(settings: &Settings<'_>) -> Value {
    let mut cluster = json!({
        "apiVersion": ConfigVersion::of(settings.kubernetes).to_string(),
        "kind": "ClusterConfiguration",
        "kubernetesVersion": format!("v{}", settings.kubernetes),
        "controlPlaneEndpoint": settings.endpoint,
        "networking": {
            "podSubnet": settings.cluster.pod_cidr.to_string(),
            "serviceSubnet": settings.cluster.service_cidr.to_string(),
        },
    });
    if let Some(repository) = image_repository(settings.kubernetes, settings.sandbox) {
        set(&mut cluster, "imageRepository", json!(repository));
    }
    for (part, given) in settings.cluster.kubeadm.parts() {
        let given = given.iter().map(|(name, value)| (name.clone().into(), value.clone().into()));
        let given = arguments(settings, given.collect());
        set(&mut cluster, part, json!({"extraArgs": given}));
    }
    cluster
}

/// Whether a document has the secrets of a join file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Secrets {
    Written,
    LeftOut,
}

fn join_document(settings: &Settings<'_>, join: &JoinFile, secrets: Secrets) -> Value {
    let mut bootstrap = json!({"apiServerEndpoint": join.endpoint});
    if secrets == Secrets::Written {
        set(&mut bootstrap, "token", json!(join.token));
    }
    set(&mut bootstrap, "caCertHashes", json!([join.ca_cert_hash]));
    let mut document = json!({
        "apiVersion": ConfigVersion::of(settings.kubernetes).to_string(),
        "kind": "JoinConfiguration",
        "discovery": {"bootstrapToken": bootstrap},
        "nodeRegistration": registration(settings),
    });
    if let Some(own) = &join.control_plane {
        let mut control_plane = json!({"localAPIEndpoint": local_endpoint(settings)});
        if secrets == Secrets::Written {
            set(&mut control_plane, "certificateKey", json!(own.certificate_key));
        }
        set(&mut document, "controlPlane", control_plane);
    }
    if ConfigVersion::of(settings.kubernetes) >= ConfigVersion::V1beta4 {
        let mut timeouts = json!({"discovery": DISCOVERY});
        if join.control_plane.is_some() {
            set(&mut timeouts, "etcdAPICall", json!(ETCD));
        }
        set(&mut document, "timeouts", timeouts);
    } else {
        set(&mut document["discovery"], "timeout", json!(DISCOVERY));
    }
    document
}

fn kubelet(settings: &Settings<'_>) -> Value {
    let mut kubelet = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "cgroupDriver": settings.cluster.cgroup_driver.to_string(),
        "clusterDNS": [settings.cluster.dns().to_string()],
        // Never collect images: kubelet could not pull them again here.
        "imageGCHighThresholdPercent": 100,
    });
    for (key, value) in &settings.cluster.kubelet {
        set(&mut kubelet, key, value.clone());
    }
    kubelet
}

/// The mode is always written: kube-proxy 1.37 warns if it is not, and a later release
/// changes its default to nftables (kubernetes#139957, kubeadm#3309).
fn proxy(settings: &Settings<'_>) -> Value {
    json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": settings.cluster.proxy_mode.to_string(),
    })
}

fn registration(settings: &Settings<'_>) -> Value {
    let member = settings.cluster.member(settings.address, settings.name);
    let mut given = vec![("node-ip".to_owned(), settings.address.to_string())];
    let labels = member.into_iter().flat_map(|member| &member.labels);
    let labels: Vec<String> = labels.map(|(key, value)| format!("{key}={value}")).collect();
    if !labels.is_empty() {
        given.push(("node-labels".to_owned(), labels.join(",")));
    }
    let mut registration = json!({
        "name": settings.name.to_string(),
        "criSocket": release::socket(settings.kubernetes),
        "kubeletExtraArgs": arguments(settings, given),
    });
    if let Some(taints) = member.and_then(|member| member.taints.as_ref()) {
        let taints: Vec<Value> = taints.iter().map(taint).collect();
        set(&mut registration, "taints", taints.into());
    }
    // kubeadm has no finer way to accept version 1: it wants kubelet's setting, and that
    // this check is skipped. Preflight looks at the controllers itself.
    let ignored = ignored_checks(settings);
    if !ignored.is_empty() {
        set(&mut registration, "ignorePreflightErrors", json!(ignored));
    }
    registration
}

/// Checks of kubeadm's that are skipped.
pub(crate) fn ignored_checks(settings: &Settings<'_>) -> Vec<&'static str> {
    let is_version_1 = settings.cgroup_v1
        && refuses_cgroup_v1(settings.kubernetes)
        && settings.cluster.accepts_cgroup_v1();
    if is_version_1 { vec!["SystemVerification"] } else { Vec::new() }
}

/// Arguments, as a list of pairs since v1beta4, because a flag may be given twice.
fn arguments(settings: &Settings<'_>, given: Vec<(String, String)>) -> Value {
    if ConfigVersion::of(settings.kubernetes) >= ConfigVersion::V1beta4 {
        given.into_iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
    } else {
        Value::Object(given.into_iter().map(|(name, value)| (name, value.into())).collect())
    }
}

fn taint(taint: &Taint) -> Value {
    let mut object = json!({"key": taint.key});
    if let Some(value) = &taint.value {
        set(&mut object, "value", json!(value));
    }
    set(&mut object, "effect", json!(taint.effect));
    object
}

fn set(document: &mut Value, key: &str, value: Value) {
    if let Some(map) = document.as_object_mut() {
        map.insert(key.to_owned(), value);
    }
}

fn render(documents: &[Value]) -> anyhow::Result<String> {
    let mut text = String::from("# Written by kubeferry.\n");
    for (number, document) in documents.iter().enumerate() {
        if number > 0 {
            text += "---\n";
        }
        text += &serde_saphyr::to_string(document).context("writing kubeadm's configuration")?;
    }
    Ok(text)
}
