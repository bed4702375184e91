//! Other software on the node that breaks Kubernetes, or that Kubernetes would break.

use bundle_format::cluster::Firewall;

use crate::failure::Failure;
use crate::host::Host;
use crate::intent::Intent;
use crate::node::containerd;
use crate::node::paths::{self, NETWORKS};
use crate::node::systemd::unit_is;
use crate::preflight::earlier::{has_begun, is_ours};

/// Another distribution of Kubernetes.
struct Distribution {
    name: &'static str,
    folder: &'static str,
    /// The folder below which its containers are mounted while they run.
    mounts: &'static str,
    units: &'static [&'static str],
    /// How to remove it.
    end: &'static str,
}

const DISTRIBUTIONS: [Distribution; 4] = [
    Distribution {
        name: "k3s",
        folder: "/var/lib/rancher/k3s",
        mounts: "/run/k3s/",
        units: &["k3s", "k3s-agent"],
        end: "`k3s-uninstall.sh` or `k3s-agent-uninstall.sh`",
    },
    Distribution {
        name: "RKE2",
        folder: "/var/lib/rancher/rke2",
        mounts: "/run/k3s/",
        units: &["rke2-server", "rke2-agent"],
        end: "`rke2-uninstall.sh`",
    },
    Distribution {
        name: "k0s",
        folder: "/var/lib/k0s",
        mounts: "/run/k0s/",
        units: &["k0scontroller", "k0sworker"],
        end: "`k0s stop` and `k0s reset`",
    },
    Distribution {
        name: "MicroK8s",
        folder: "/var/snap/microk8s",
        mounts: "/var/snap/microk8s/common/run/",
        units: &["snap.microk8s.daemon-kubelite", "snap.microk8s.daemon-containerd"],
        end: "`snap remove --purge microk8s`",
    },
];

/// Interfaces that another cluster's network left.
const INTERFACES: [&str; 8] = [
    "antrea-gw0",
    "cilium_host",
    "cni0",
    "flannel.1",
    "kube-bridge",
    "kube-ipvs0",
    "ovn0",
    "weave",
];

/// A containerd that came from no package would be started instead of ours. Docker
/// lets the kernel drop forwarded packets, and so pods' traffic (docs.docker.com,
/// "Packet filtering and firewalls").
pub(super) fn programs(host: &Host, _: &Intent) -> anyhow::Result<Vec<Failure>> {
    if has_begun(host) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for path in ["/etc/systemd/system/containerd.service", "/usr/local/bin/containerd"] {
        if host.exists(path) {
            found.push(Failure::new(
                format!("no package installed this containerd: {path}"),
                format!(
                    "if nobody needs it: `systemctl disable --now containerd`, and move {path} away"
                ),
            ));
        }
    }
    // Programs there would run instead of the packages'.
    let folders = ["/usr/local/sbin", "/usr/local/bin"];
    let programs = folders
        .iter()
        .flat_map(|folder| ["kubeadm", "kubelet"].map(|program| format!("{folder}/{program}")));
    let units = ["/etc/systemd/system/kubelet.service".to_owned()];
    let here: Vec<String> = programs.chain(units).filter(|path| host.exists(path)).collect();
    if !here.is_empty() {
        let here = here.join(" ");
        found.push(Failure::new(
            format!("programs that no package installed would run in place of ours: {here}"),
            format!("move it away: `mkdir /root/old && mv {here} /root/old`"),
        ));
    }
    for one in DISTRIBUTIONS {
        let Distribution { name, folder, end, .. } = one;
        if !host.list(folder)?.is_empty() && one.runs(host)? {
            found.push(Failure::new(
                format!("{name} runs on this node, or starts at its boot: {folder}"),
                format!("if nobody needs it: {end}, and restart the node"),
            ));
        }
    }
    if unit_is(host, "active", "docker")? {
        found.push(Failure::new(
            "Docker runs on this node, and would drop the traffic of pods",
            "take another node, or, if nobody needs it: `systemctl disable --now docker \
             docker.socket`, and restart the node",
        ));
    }
    Ok(found)
}

impl Distribution {
    /// Whether it runs, or will start at boot. Its containers may run after it
    /// was stopped.
    fn runs(&self, host: &Host) -> anyhow::Result<bool> {
        for unit in self.units {
            if unit_is(host, "active", unit)? || unit_is(host, "enabled", unit)? {
                return Ok(true);
            }
        }
        let mounts = host.read("/proc/self/mountinfo")?.unwrap_or_default();
        let at = mounts.lines().filter_map(|line| line.split(' ').nth(4));
        Ok(at.into_iter().any(|at| at.starts_with(self.mounts)))
    }
}

/// The installer opens ports only in firewalld.
pub(super) fn firewalls(host: &Host, intent: &Intent) -> anyhow::Result<Vec<Failure>> {
    let mut found = Vec::new();
    if intent.cluster.firewall == Firewall::Leave {
        return Ok(found);
    }
    for unit in ["iptables", "nftables"] {
        if unit_is(host, "active", unit)? {
            // When the firewall stops, it flushes all rules, kube-proxy's
            // too.
            let end = if host.exists(paths::KUBELET_CONF) {
                format!("`systemctl disable {unit}`, and restart the node when that suits")
            } else {
                format!("`systemctl disable --now {unit}`")
            };
            found.push(Failure::new(
                format!("{unit}.service runs here, with rules that this program does not change"),
                format!(
                    "{end}; or open the ports yourself, and set `firewall: leave` in the cluster \
                     file"
                ),
            ));
        }
    }
    Ok(found)
}

/// Files of an older cluster make kubeadm hang or fail.
pub(super) fn leftovers(host: &Host, _: &Intent) -> anyhow::Result<Vec<Failure>> {
    if is_ours(host) {
        return Ok(Vec::new());
    }
    let mut left = Vec::new();
    for path in [paths::STATIC_PODS, paths::PKI, paths::ETCD_MEMBER] {
        if !host.list(path)?.is_empty() {
            left.push(path);
        }
    }
    left.extend([paths::ADMIN_CONF, paths::KUBELET_CONF].iter().filter(|path| host.exists(path)));
    if left.is_empty() {
        return Ok(Vec::new());
    }
    let left = left.join(", ");
    let remove = if host.exists("/usr/bin/kubeadm") {
        "kubeadm reset".to_owned()
    } else {
        format!("rm -rf {}", left.replace(',', ""))
    };
    Ok(vec![Failure::new(
        format!("this node has been in a cluster before: {left}"),
        format!("if nothing of that is needed, run `{remove}`, and then this again"),
    )])
}

/// containerd would give pods addresses of such a network until the cluster's own one
/// is there.
pub(super) fn networks(host: &Host, _: &Intent) -> anyhow::Result<Vec<Failure>> {
    if has_begun(host) {
        return Ok(Vec::new());
    }
    let names = containerd::networks(host)?;
    if names.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![Failure::new(
        format!(
            "{NETWORKS} has a network for containers that is not the cluster's: {}",
            names.join(", ")
        ),
        format!(
            "move it away: `mv {NETWORKS} {NETWORKS}.old`; podman takes another folder by \
             `network_config_dir` in containers.conf"
        ),
    )])
}

/// Programs that take away what pods need at run time.
pub(super) fn guards(host: &Host, _: &Intent) -> anyhow::Result<Vec<Failure>> {
    if has_begun(host) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for unit in ["nm-cloud-setup.service", "nm-cloud-setup.timer"] {
        if unit_is(host, "enabled", unit)? && has_a_cloud(host)? {
            found.push(Failure::new(
                format!("{unit} is on, and removes pods' routes (RKE2's \"Known issues\")"),
                "`systemctl disable --now nm-cloud-setup.service nm-cloud-setup.timer`, and \
                 restart the node",
            ));
            break;
        }
    }
    if unit_is(host, "active", "fapolicyd")? && !lets_cni_run(host)? {
        found.push(Failure::new(
            "fapolicyd runs, and forbids programs that no package installed, such as those of pods' \
             networks in /opt/cni/bin",
            "add `allow perm=any all : dir=/opt/cni/bin/` to a file in /etc/fapolicyd/rules.d, \
             and the same for /var/lib/containerd/ and /run/containerd/, then run `fagenrules \
             --load`; or `systemctl disable --now fapolicyd`",
        ));
    }
    Ok(found)
}

/// Whether nm-cloud-setup is configured for a cloud. Otherwise it does nothing
/// (nm-cloud-setup(8), `NM_CLOUD_SETUP_EC2` and others).
fn has_a_cloud(host: &Host) -> anyhow::Result<bool> {
    const UNIT: &str = "nm-cloud-setup.service";
    let mut files = Vec::new();
    for folder in ["/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system"] {
        let more = format!("{folder}/{UNIT}.d");
        files.push(format!("{folder}/{UNIT}"));
        files.extend(host.list(&more)?.into_iter().map(|name| format!("{more}/{name}")));
    }
    let mut texts = Vec::new();
    for file in files {
        let text = host.read(file)?.unwrap_or_default();
        for line in text.lines().filter_map(|line| line.trim().strip_prefix("EnvironmentFile=")) {
            texts.push(host.read(line.trim_start_matches('-'))?.unwrap_or_default());
        }
        texts.push(text);
    }
    let is_on = |word: &str| {
        let word = word.trim_start_matches("Environment=").replace(['"', '\''], "");
        let value = word.strip_prefix("NM_CLOUD_SETUP_").and_then(|rest| rest.split_once('='));
        // The values that it takes for "yes".
        value.is_some_and(|(name, value)| {
            !matches!(name, "LOG" | "MAP_INTERFACES" | "MAP_ADDRESSES")
                && matches!(value.to_ascii_lowercase().as_str(), "1" | "yes" | "true" | "on")
        })
    };
    let mut lines = texts.iter().flat_map(|text| text.lines()).map(str::trim);
    Ok(lines.any(|line| !line.starts_with(['#', ';']) && line.split_ascii_whitespace().any(is_on)))
}

/// Whether fapolicyd lets CNI's programs run, or forbids nothing.
fn lets_cni_run(host: &Host) -> anyhow::Result<bool> {
    let settings = host.read("/etc/fapolicyd/fapolicyd.conf")?.unwrap_or_default();
    let is_off = |line: &str| line.replace(' ', "") == "permissive=1";
    if settings.lines().any(is_off) {
        return Ok(true);
    }
    let mut places = vec!["/etc/fapolicyd/fapolicyd.rules".to_owned()];
    for folder in ["/etc/fapolicyd/rules.d", "/etc/fapolicyd/trust.d"] {
        places.extend(host.list(folder)?.iter().map(|name| format!("{folder}/{name}")));
    }
    for place in places {
        let text = host.read(place)?.unwrap_or_default();
        if text.contains("/opt/cni") || text.lines().any(allows_all) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a rule lets everything run, or everything below `/opt`
/// (fapolicyd.rules(5): `allow perm=any uid=0 : all`).
fn allows_all(line: &str) -> bool {
    let Some((who, what)) = line.split_once(" : ") else { return false };
    let mut who = who.split_ascii_whitespace();
    let is_to_run = who.next().is_some_and(|verb| verb.starts_with("allow"))
        && matches!(who.next(), Some("perm=any" | "perm=execute"));
    // A rule for one program names that program.
    let is_for_root = who.all(|one| matches!(one, "all" | "uid=0" | "uid=root" | "auid=-1"));
    is_to_run && is_for_root && matches!(what.trim(), "all" | "dir=/opt" | "dir=/opt/" | "dir=/")
}

/// Leftovers that break only some things, such as addresses, or other versions of
/// tools.
pub(super) fn warnings(host: &Host, _: &Intent) -> anyhow::Result<Vec<Failure>> {
    if has_begun(host) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for one in DISTRIBUTIONS {
        let Distribution { name, folder, end, .. } = one;
        if !host.list(folder)?.is_empty() && !one.runs(host)? {
            found.push(Failure::new(
                format!("{name} was on this node: {folder} is left of it, and takes up room"),
                format!("if nobody needs it: {end}, or `rm -r {folder}`"),
            ));
        }
    }
    let is_left = |name: &&str| host.exists(format!("/sys/class/net/{name}"));
    let left: Vec<&str> = INTERFACES.into_iter().filter(is_left).collect();
    if !left.is_empty() {
        let all = left.join(", ");
        let delete: Vec<String> =
            left.iter().map(|name| format!("`ip link delete {name}`")).collect();
        found.push(Failure::new(
            format!("interfaces of an older cluster's network are here, with its addresses: {all}"),
            format!("{}, or restart the node", delete.join(", ")),
        ));
    }
    let folders = ["/usr/local/sbin", "/usr/local/bin"];
    let programs = folders.iter().flat_map(|folder| {
        ["crictl", "ctr", "kubectl", "runc"].map(|program| format!("{folder}/{program}"))
    });
    let here: Vec<String> = programs.filter(|path| host.exists(path)).collect();
    if !here.is_empty() {
        let here = here.join(" ");
        found.push(Failure::new(
            format!("programs that no package installed run in place of ours: {here}"),
            format!("if it is of another version: `mkdir /root/old && mv {here} /root/old`"),
        ));
    }
    Ok(found)
}
