//! Arguments that the site gave to kubelet: those that the bundle's kubelet does not
//! know, with which it would exit at once (kubeadm#1347), and those that override its
//! configuration.

use serde_json::Value;

use crate::failure::Failure;
use crate::host::Host;
use crate::intent::Intent;
use crate::node::kubelet_arguments::{Argument, KUBEADM, holding, without_cluster};
use crate::node::paths;

/// Removed arguments, by the minor release that removed them
/// (`CHANGELOG/CHANGELOG-1.*.md` of kubernetes/kubernetes).
const GONE: [(u32, &[&str]); 10] = [
    (12, &["cadvisor-port"]),
    (15, &["allow-privileged", "host-ipc-sources", "host-network-sources", "host-pid-sources"]),
    (19, &["bootstrap-checkpoint-path"]),
    (23, &["seccomp-profile-root"]),
    (
        24,
        &[
            "cni-bin-dir",
            "cni-cache-dir",
            "cni-conf-dir",
            "docker-endpoint",
            "experimental-check-node-capabilities-before-mount",
            "experimental-dockershim-root-directory",
            "image-pull-progress-deadline",
            "network-plugin",
            "network-plugin-mtu",
            "really-crash-for-testing",
        ],
    ),
    (25, &["experimental-kernel-memcg-notification"]),
    (
        26,
        &[
            "add-dir-header",
            "alsologtostderr",
            "log-backtrace-at",
            "log-dir",
            "log-file",
            "log-file-max-size",
            "logtostderr",
            "one-output",
            "skip-headers",
            "skip-log-headers",
            "stderrthreshold",
        ],
    ),
    (27, &["container-runtime", "master-service-namespace"]),
    (31, &["iptables-drop-bit", "iptables-masquerade-bit", "keep-terminated-pod-volumes"]),
    (35, &["pod-infra-container-image"]),
];

/// Arguments that are unknown, or that override the cluster's settings.
pub(super) fn problems(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let wanted = wanted(intent);
    let mut found = Vec::new();
    for argument in holding(host)? {
        let Argument { name, path, line, .. } = &argument;
        // `kubeadm upgrade` writes its own file anew.
        if intent.upgrade.is_some() && path == KUBEADM {
            continue;
        }
        let place = format!("{path}, line {line}, gives kubelet --{name}");
        if let Some(since) = gone(name).filter(|since| intent.lock().kubernetes.minor() >= *since) {
            found.push(Failure::new(
                format!(
                    "{place}, which Kubernetes 1.{since} removed: kubelet does not start with it"
                ),
                format!("remove --{name} from {path}"),
            ));
            continue;
        }
        let ours = wanted.iter().find(|(own, _)| *own == *name).map(|(_, ours)| ours);
        let (Some(ours), Some(theirs)) = (ours, &argument.value) else { continue };
        if !ours.iter().any(|one| one == theirs) {
            let told = ours.first().map_or("", String::as_str);
            found.push(Failure::new(
                format!("{place} as {theirs}, but it must be {told}"),
                format!("remove --{name} from {path}; cluster.yaml has what a site may choose"),
            ));
        }
    }
    if !host.exists(paths::KUBELET_CONF)
        && let Some((path, line)) = without_cluster(host)?
    {
        found.push(Failure::new(
            format!(
                "{path}, line {line}, starts kubelet without --kubeconfig: it joins no cluster"
            ),
            format!("remove the lines `ExecStart=` from {path}, so that the package's counts"),
        ));
    }
    Ok(found)
}

/// The minor release that removed an argument.
fn gone(name: &str) -> Option<u32> {
    let row = GONE.iter().find(|(_, names)| names.contains(&name));
    row.map(|(minor, _)| *minor)
}

/// The values that arguments may have: ours first, then others with the same meaning.
fn wanted(intent: &Intent) -> Vec<(String, Vec<String>)> {
    let socket = "/run/containerd/containerd.sock";
    let sockets =
        ["unix://", ""].map(|kind| [format!("{kind}{socket}"), format!("{kind}/var{socket}")]);
    let cluster = &intent.cluster;
    let threshold = cluster.kubelet.get("imageGCHighThresholdPercent");
    let mut wanted = vec![
        ("cgroup-driver", vec![cluster.cgroup_driver.to_string()]),
        ("cluster-dns", vec![cluster.dns().to_string()]),
        ("config", vec![paths::KUBELET_CONFIG.to_owned()]),
        ("container-runtime", vec!["remote".to_owned()]),
        ("container-runtime-endpoint", sockets.concat()),
        ("hostname-override", vec![intent.name.to_string()]),
        // Never collect images: kubelet could not pull them again here.
        ("image-gc-high-threshold", vec![threshold.map_or("100".into(), ToString::to_string)]),
        ("kubeconfig", vec![paths::KUBELET_CONF.to_owned()]),
        ("node-ip", vec![intent.address.to_string()]),
        ("pod-manifest-path", vec![paths::STATIC_PODS.to_owned()]),
        ("root-dir", vec![paths::KUBELET.to_owned()]),
    ];
    if let Some(image) = &intent.lock().sandbox_image {
        wanted.push(("pod-infra-container-image", vec![image.to_string()]));
    }
    let own = wanted.into_iter().map(|(name, values)| (name.to_owned(), values));
    let given = cluster.kubelet.iter().filter_map(|(key, value)| {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            _ => return None,
        };
        Some((argument(key), vec![value]))
    });
    own.chain(given).collect()
}

/// The argument's name for a setting: `max-pods` for `maxPods`.
fn argument(key: &str) -> String {
    let letter = |letter: char| match letter.is_ascii_uppercase() {
        true => format!("-{}", letter.to_ascii_lowercase()),
        false => letter.to_string(),
    };
    key.chars().map(letter).collect()
}
