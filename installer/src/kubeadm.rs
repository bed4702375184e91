//! kubeadm's configuration, in the API version that a Kubernetes release takes:
//! v1beta2 before 1.22, v1beta3 before 1.31, v1beta4 from then on
//! (kubernetes.io, `kubeadm-config.v1beta4`).

use anyhow::Context;
use serde_json::{Value, json};

use crate::cluster::ProxyMode;
use crate::step::Intent;

/// The documents for `kubeadm init`.
pub fn init_configuration(intent: &Intent) -> anyhow::Result<String> {
    let api = api(intent);
    let mut cluster = json!({
        "apiVersion": api,
        "kind": "ClusterConfiguration",
        "kubernetesVersion": format!("v{}", intent.lock().kubernetes),
        "controlPlaneEndpoint": intent.endpoint(),
        "networking": {
            "podSubnet": intent.cluster.pod_cidr.to_string(),
            "serviceSubnet": intent.cluster.service_cidr.to_string(),
        },
    });
    if let Some(repository) = image_repository(intent) {
        set(&mut cluster, "imageRepository", json!(repository));
    }
    let init = json!({
        "apiVersion": api,
        "kind": "InitConfiguration",
        "localAPIEndpoint": {"advertiseAddress": intent.address.to_string(), "bindPort": 6443},
        "nodeRegistration": registration(intent),
    });
    let kubelet = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "cgroupDriver": intent.cluster.cgroup_driver.to_string(),
        "clusterDNS": [intent.cluster.dns().to_string()],
    });
    let mut documents = vec![cluster, init, kubelet];
    if intent.cluster.proxy_mode != ProxyMode::Iptables {
        documents.push(json!({
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": intent.cluster.proxy_mode.to_string(),
        }));
    }
    render(&documents)
}

/// The document for `kubeadm join`. It holds the token.
pub fn join_configuration(intent: &Intent) -> anyhow::Result<String> {
    let join = intent.join.as_ref().context("a worker needs a join file")?;
    render(&[json!({
        "apiVersion": api(intent),
        "kind": "JoinConfiguration",
        "discovery": {"bootstrapToken": {
            "apiServerEndpoint": join.endpoint,
            "token": join.token,
            "caCertHashes": [join.ca_cert_hash],
        }},
        "nodeRegistration": registration(intent),
    })])
}

fn api(intent: &Intent) -> &'static str {
    match intent.kubernetes() {
        (1, minor) if minor < 22 => "kubeadm.k8s.io/v1beta2",
        (1, minor) if minor < 31 => "kubeadm.k8s.io/v1beta3",
        _ => "kubeadm.k8s.io/v1beta4",
    }
}

fn registration(intent: &Intent) -> Value {
    let address = intent.address.to_string();
    // A list of pairs since v1beta4, where a flag may be given twice.
    let arguments = if api(intent).ends_with("v1beta4") {
        json!([{"name": "node-ip", "value": address}])
    } else {
        json!({"node-ip": address})
    };
    // A path until 1.24, from when on kubelet wants a URL.
    let socket = match intent.kubernetes() {
        (1, minor) if minor < 24 => "/run/containerd/containerd.sock",
        _ => "unix:///run/containerd/containerd.sock",
    };
    json!({
        "name": intent.name.to_string(),
        "criSocket": socket,
        "kubeletExtraArgs": arguments,
    })
}

/// What nodes call the folder of kubeadm's images: that of the sandbox image.
fn image_repository(intent: &Intent) -> Option<String> {
    let name = intent.lock().sandbox_image.as_ref()?.name();
    let (folder, _) = name.rsplit_once('/')?;
    let default = if intent.kubernetes() < (1, 25) { "k8s.gcr.io" } else { "registry.k8s.io" };
    (folder != default).then(|| folder.to_owned())
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
