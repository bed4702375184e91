//! What differs from one release of kubeadm to another.

use bundle_format::ImageReference;
use bundle_format::cluster::Taint;
use bundle_format::kubeadm::default_repository;

/// 1, 28 and 2 of `1.28.2` or `1.28.2-rc.1`.
fn numbers(kubernetes: &str) -> [u32; 3] {
    let core = kubernetes.split('-').next().unwrap_or_default();
    let mut numbers = core.split('.').map(|part| part.parse().unwrap_or(0));
    [(); 3].map(|()| numbers.next().unwrap_or(0))
}

/// 28 of `1.28.2`.
pub(crate) fn minor(kubernetes: &str) -> u32 {
    let [_, minor, _] = numbers(kubernetes);
    minor
}

/// The version of its configuration (kubernetes.io, `kubeadm-config.v1beta4`).
pub(super) fn api(kubernetes: &str) -> &'static str {
    match numbers(kubernetes) {
        [1, minor, _] if minor < 22 => "kubeadm.k8s.io/v1beta2",
        [1, minor, _] if minor < 31 => "kubeadm.k8s.io/v1beta3",
        _ => "kubeadm.k8s.io/v1beta4",
    }
}

/// containerd's socket: a path until 1.24, from when on kubelet wants a URL.
pub(super) fn socket(kubernetes: &str) -> &'static str {
    match numbers(kubernetes) {
        [1, minor, _] if minor < 24 => "/run/containerd/containerd.sock",
        _ => "unix:///run/containerd/containerd.sock",
    }
}

/// What kubeadm taints a master with where it is told nothing else (kubeadm's
/// `MarkControlPlane`; the second came with 1.24, and the first went with 1.25).
pub fn taints_of_masters(kubernetes: &str) -> Vec<Taint> {
    let [_, minor, _] = numbers(kubernetes);
    let keys = [("master", minor < 25), ("control-plane", minor >= 24)];
    let taint = |(key, _): (&str, bool)| Taint {
        key: format!("node-role.kubernetes.io/{key}"),
        value: None,
        effect: "NoSchedule".to_owned(),
    };
    keys.into_iter().filter(|(_, has)| *has).map(taint).collect()
}

/// What nodes call the folder of kubeadm's images: that of the sandbox image.
pub(crate) fn image_repository(
    kubernetes: &str,
    sandbox: Option<&ImageReference>,
) -> Option<String> {
    let name = sandbox?.name();
    let (folder, _) = name.rsplit_once('/')?;
    let [_, minor, patch] = numbers(kubernetes);
    let default = default_repository(minor, patch);
    (folder != default).then(|| folder.to_owned())
}
