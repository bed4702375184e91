//! The settings that pods' traffic needs, and the file that has them.

use crate::host::Host;
use crate::node::pattern::fits;

/// The file. It sorts after `99-sysctl.conf`, which most systems link to
/// `/etc/sysctl.conf`.
pub(crate) const PATH: &str = "/etc/sysctl.d/zz-kubeferry.conf";
/// The file of older versions.
pub(crate) const OLD: &str = "/etc/sysctl.d/99-kubeferry.conf";
pub(super) const OLD_NAME: &str = "99-kubeferry.conf";

/// The settings. The first exists only if the kernel has IPv6. The last three are one
/// switch in the kernel, and three settings to systemd-sysctl. A new interface, such
/// as a pod's, starts with the value of the last one.
pub(super) const SETTINGS: [(&str, &str); 5] = [
    ("net.bridge.bridge-nf-call-ip6tables", "1"),
    ("net.bridge.bridge-nf-call-iptables", "1"),
    ("net.ipv4.ip_forward", "1"),
    ("net.ipv4.conf.all.forwarding", "1"),
    ("net.ipv4.conf.default.forwarding", "1"),
];

/// The prefixes of pods' interfaces. Interfaces of other containers are the site's.
const PODS: [&str; 6] = ["cali", "cni", "flannel", "tunl", "veth", "vxlan"];

pub(super) fn is_of_pods(interface: &str) -> bool {
    PODS.iter().any(|prefix| interface.starts_with(prefix))
}

/// Whether a name or a pattern can match one of `interfaces`, or a pod's interface.
pub(super) fn is_concerned(pattern: &str, interfaces: &[String]) -> bool {
    interfaces.iter().any(|name| fits(pattern, name))
        || is_of_pods(pattern)
        || PODS.iter().any(|prefix| fits(pattern, &format!("{prefix}0")))
}

/// The settings that this node needs.
pub(crate) fn settings(host: &Host) -> impl Iterator<Item = (&'static str, &'static str)> {
    let has_ipv6 = host.exists("/proc/sys/net/ipv6");
    SETTINGS.into_iter().filter(move |(key, _)| has_ipv6 || !key.ends_with("ip6tables"))
}
