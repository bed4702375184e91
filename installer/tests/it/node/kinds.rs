//! Nodes as they are found.

use bundle_format::cluster::Cluster;
use installer::intent::Intent;
use installer::node::certificates::kubeconfig::{Brought, Kubeconfig};
use installer::role::Role;

use super::Node;
use super::member::config_of;

/// What each node has.
pub(crate) const BARE: [(&str, u32, &str); 11] = [
    ("etc/hosts", 0o644, "127.0.0.1 localhost\n"),
    ("etc/hostname", 0o644, "node-1\n"),
    ("proc/sys/kernel/hostname", 0o644, "node-1\n"),
    ("proc/sys/net/ipv4/ip_forward", 0o644, "0\n"),
    ("proc/sys/net/ipv4/conf/all/forwarding", 0o644, "0\n"),
    ("proc/sys/net/ipv4/conf/default/forwarding", 0o644, "0\n"),
    ("proc/sys/net/ipv4/conf/eth0/forwarding", 0o644, "0\n"),
    ("proc/swaps", 0o444, "Filename Type\n"),
    ("proc/modules", 0o444, "xfs 1\n"),
    (IPV6_SWITCH, 0o644, "0\n"),
    ("run/bridges", 0o444, "0\n"),
];

/// Where the kernel says whether IPv6 is off; there only if the kernel has IPv6.
const IPV6_SWITCH: &str = "proc/sys/net/ipv6/conf/all/disable_ipv6";

/// What one has that was started with `ipv6.disable=1`, and sets the bridge's keys itself.
const WITHOUT_IPV6: [(&str, u32, &str); 3] = [
    ("etc/hostname", 0o644, "Node-1\n"),
    ("proc/sys/kernel/hostname", 0o644, "Node-1\n"),
    ("run/bridges", 0o444, "1\n"),
];

/// What one has besides that has been at work before.
const LIVED_IN: [(&str, u32, &str); 26] = [
    ("etc/hostname", 0o644, "old-name\n"),
    ("proc/sys/kernel/hostname", 0o644, "old-name\n"),
    ("etc/fstab", 0o600, "/dev/sda1 / xfs defaults 0 0\n/dev/sda2 none swap sw 0 0\n"),
    ("proc/swaps", 0o444, "Filename Type\n/dev/sda2 none swap sw 0 0\n"),
    ("usr/lib/systemd/system-generators/zram-generator", 0o755, ""),
    ("etc/systemd/zram-generator.conf", 0o640, "[zram0]\n"),
    ("etc/systemd/system/extra.swap", 0o644, "[Swap]\n"),
    ("run/systemd/loaded/extra.swap", 0o644, "[Swap]\n"),
    ("run/systemd/generator.late/dev-sda3.swap", 0o644, "[Swap]\nWhat=/dev/sda3\n"),
    ("run/systemd/generator/dev-sda2.swap", 0o644, "[Unit]\nSourcePath=/etc/fstab\n"),
    ("etc/sysctl.conf", 0o600, "# hardened\nnet.ipv4.ip_forward = 0\n"),
    ("etc/sysctl.d/50-site.conf", 0o644, "net.ipv4.conf.default.forwarding = 0\n"),
    ("etc/sysctl.d/zzz.conf", 0o644, "net/ipv4/conf/*/forwarding = 0\n"),
    ("run/systemd/active/ntpd", 0o644, ""),
    ("run/systemd/enabled/ntpd", 0o644, ""),
    ("etc/selinux/config", 0o644, "SELINUX=Enforcing \n"),
    ("sys/fs/selinux/enforce", 0o644, "1"),
    ("etc/chrony.conf", 0o640, "pool of.the.site\n"),
    ("run/systemd/active/chronyd", 0o644, "pool of.the.site\n"),
    ("run/systemd/enabled/chronyd", 0o644, ""),
    ("var/lib/chrony/drift", 0o644, "1\n"),
    ("etc/containerd/config.toml", 0o600, "disabled_plugins = [\"cri\"]\n"),
    ("run/systemd/active/containerd", 0o644, "disabled_plugins = [\"cri\"]\n"),
    ("etc/NetworkManager/NetworkManager.conf", 0o644, ""),
    ("run/systemd/active/NetworkManager", 0o644, ""),
    ("etc/crictl.yaml", 0o600, "timeout: 1\n"),
];

/// What one has that has firewalld, and a mirror of its own.
const FIREWALLED: [(&str, u32, &str); 6] = [
    ("etc/containerd/certs.d/ghcr.io/hosts.toml", 0o644, "server = 'x'\n"),
    ("etc/firewalld/zones/public.xml", 0o644, "service ssh\nport 22/tcp\n"),
    ("etc/firewalld/policies/site.xml", 0o644, "target: DROP\n"),
    ("run/firewalld/zones/public.xml", 0o644, "service ssh\nport 22/tcp\n"),
    ("run/systemd/active/firewalld", 0o644, ""),
    ("run/systemd/enabled/firewalld", 0o644, ""),
];

/// Nodes of each kind.
pub(crate) fn nodes() -> Vec<Box<dyn Fn() -> Node>> {
    let mut nodes: Vec<Box<dyn Fn() -> Node>> = Vec::new();
    for role in [Role::Master, Role::Worker] {
        nodes.push(Box::new(move || Node::new(role, &BARE)));
        nodes.push(Box::new(move || Node::new(role, &[&BARE[..], &LIVED_IN].concat())));
        nodes.push(Box::new(move || firewalled(role)));
        nodes.push(Box::new(move || serving(role)));
        nodes.push(Box::new(move || without_ipv6(role)));
    }
    nodes
}

/// A node that has nothing but what each has.
pub(crate) fn bare(role: Role) -> Node {
    Node::new(role, &BARE)
}

/// A node without IPv6.
pub(crate) fn without_ipv6(role: Role) -> Node {
    let others = BARE.into_iter().filter(|(path, ..)| *path != IPV6_SWITCH);
    Node::new(role, &others.chain(WITHOUT_IPV6).collect::<Vec<_>>())
}

/// A node with firewalld.
pub(crate) fn firewalled(role: Role) -> Node {
    Node::new(role, &[&BARE[..], &FIREWALLED].concat())
}

/// A node with firewalld that has been at work before, and is to serve NFS.
pub(crate) fn lived_in(role: Role) -> Node {
    let mut node = Node::new(role, &[&BARE[..], &LIVED_IN, &FIREWALLED].concat());
    node.change = serve;
    node
}

/// One that also serves NFS, has mirrors, and as a worker a kubeconfig.
fn serving(role: Role) -> Node {
    let mut node = firewalled(role);
    node.change = serve;
    node
}

/// What makes an intention that of a node that serves.
pub(crate) fn serve(intent: &mut Intent) {
    let own = "nodes:\n- {name: node-1, address: 10.0.0.2, nfs: {export: /srv/deep/share}}\n\
               - {name: node-2, address: 10.0.0.3}\nregistryMirrors: {a.b: ['https://m']}\n";
    let own: Cluster = serde_saphyr::from_str(own).unwrap();
    intent.cluster.nodes = own.nodes;
    intent.cluster.registry_mirrors = own.registry_mirrors;
    if intent.role == Role::Worker {
        intent.kubeconfig = Some(brought(&config_of("", "10.0.0.1:6443", Some(""))));
    }
}

/// A kubeconfig as it was brought along.
pub(crate) fn brought(text: &str) -> Brought {
    let config = Kubeconfig::parse(text).unwrap();
    Brought { path: "jane.conf".into(), text: text.to_owned(), config }
}
