//! The settings that pods' traffic needs, and the file that has them.

use crate::host::Host;

/// Where they are, for every boot: after `99-sysctl.conf`, which most systems link to
/// `/etc/sysctl.conf`.
pub(crate) const PATH: &str = "/etc/sysctl.d/zz-kubeferry.conf";
/// Where earlier versions had them.
pub(crate) const OLD: &str = "/etc/sysctl.d/99-kubeferry.conf";
pub(super) const OLD_NAME: &str = "99-kubeferry.conf";

/// What pods' traffic needs. The first is there only where the kernel has IPv6. The last
/// three switch the same thing in the kernel, but systemd-sysctl takes them for three
/// settings. An interface of a pod begins with the value of the last one.
pub(super) const SETTINGS: [(&str, &str); 5] = [
    ("net.bridge.bridge-nf-call-ip6tables", "1"),
    ("net.bridge.bridge-nf-call-iptables", "1"),
    ("net.ipv4.ip_forward", "1"),
    ("net.ipv4.conf.all.forwarding", "1"),
    ("net.ipv4.conf.default.forwarding", "1"),
];

/// How networks call the interfaces of their pods. Those of other containers are a site's.
pub(super) const PODS: [&str; 6] = ["cali", "cni", "flannel", "tunl", "veth", "vxlan"];

pub(super) fn is_of_pods(interface: &str) -> bool {
    PODS.iter().any(|prefix| interface.starts_with(prefix))
}

/// The settings that this node needs.
pub(crate) fn settings(host: &Host) -> impl Iterator<Item = (&'static str, &'static str)> {
    let has_ipv6 = host.exists("/proc/sys/net/ipv6");
    SETTINGS.into_iter().filter(move |(key, _)| has_ipv6 || !key.ends_with("ip6tables"))
}
