//! What differs between releases of kubeadm.

use bundle_format::cluster::Taint;
use bundle_format::kubeadm::default_repository;
use bundle_format::{ImageReference, KubernetesVersion};

/// containerd's socket: a path before 1.24, a URL since then.
pub(super) fn socket(kubernetes: &KubernetesVersion) -> &'static str {
    match kubernetes.minor() {
        ..24 => "/run/containerd/containerd.sock",
        24.. => "unix:///run/containerd/containerd.sock",
    }
}

/// The default taints of a master (kubeadm's `MarkControlPlane`: the second came with
/// 1.24, the first went with 1.25).
pub fn taints_of_masters(kubernetes: &KubernetesVersion) -> Vec<Taint> {
    let minor = kubernetes.minor();
    let keys = [("master", minor < 25), ("control-plane", minor >= 24)];
    let taint = |(key, _): (&str, bool)| Taint {
        key: format!("node-role.kubernetes.io/{key}"),
        value: None,
        effect: "NoSchedule".to_owned(),
    };
    keys.into_iter().filter(|(_, has)| *has).map(taint).collect()
}

/// The repository of kubeadm's images on nodes: that of the sandbox image.
pub(crate) fn image_repository(
    kubernetes: &KubernetesVersion,
    sandbox: Option<&ImageReference>,
) -> Option<String> {
    let name = sandbox?.name();
    let (folder, _) = name.rsplit_once('/')?;
    (folder != default_repository(kubernetes)).then(|| folder.to_owned())
}
