//! What `doctor` prints, as it was read and found good.

use std::fmt::Write as _;

use insta::assert_snapshot;
use installer::role::Role::{self, Master, Worker};

use super::{CONTAINERD, KUBELET, edit};
use crate::node::member::{Authority, Member, READY, config_of};
use crate::pages::settings;

type Spoil = fn(&Member);

/// What breaks, and how.
const CAUSES: [(&str, Role, Spoil); 16] = [
    ("nothing", Master, |_| ()),
    ("kubeadm never came to its end", Worker, |member| {
        member.remove("etc/kubernetes/kubelet.conf");
    }),
    ("a disk is full", Worker, |member| edit(member, "run/df", "600", "99")),
    ("swap is on", Worker, |member| {
        member.remove("proc/swaps");
        member.write("proc/swaps", "Filename Type\n/dev/sda2 partition 1 0 -2\n");
    }),
    ("the kernel forwards nothing", Master, |member| {
        member.write("proc/sys/net/ipv4/ip_forward", "0\n");
    }),
    ("a file is gone", Worker, |member| member.remove("etc/crictl.yaml")),
    ("chronyd was stopped", Master, |member| member.remove("run/systemd/active/chronyd")),
    ("the master's clock is not taken", Worker, |member| {
        member.write("run/systemd/active/chronyd", "");
    }),
    ("containerd's settings are broken", Worker, |member| {
        member.write(CONTAINERD, "version = [");
    }),
    ("the sandbox image is gone", Worker, |member| {
        member.write("run/images", "registry.k8s.io/pause:3.6\n");
    }),
    ("kubelet and containerd disagree on control groups", Worker, |member| {
        edit(member, KUBELET, "Driver: systemd", "Driver: cgroupfs");
    }),
    ("kubelet fails", Worker, |member| {
        member.remove("run/systemd/active/kubelet");
        member.write("run/systemd/failed/kubelet", "");
        member.write("run/journal", "I0101 begun\nE0101 \"command failed\"\nStopped kubelet.\n");
    }),
    ("pods have no network", Worker, |member| member.remove("etc/cni/net.d")),
    ("the API server's certificate has expired", Master, |member| {
        let old = member.authority.issue("kube-apiserver", 2020, 2021);
        member.write("etc/kubernetes/pki/apiserver.crt", &old);
    }),
    ("kubelet's kubeconfig is of another cluster", Worker, |member| {
        let other = config_of(&Authority::new().pem, "10.9.9.9:6443", None);
        member.write("etc/kubernetes/kubelet.conf", &other);
    }),
    ("the node is not Ready, for no cause that is known", Worker, |member| {
        let text = READY.replace("\"True\"", "\"False\"").replace("posting ready", "in bad");
        member.write("run/api-node.json", &text);
    }),
];

/// As `cli::doctor` prints it.
fn page(member: &Member) -> String {
    let found = member.diagnose();
    let mut page = String::new();
    for finding in found.findings {
        writeln!(page, "cause: {}\n  cure: {}", finding.cause, finding.cure).unwrap();
    }
    for place in found.unknown {
        writeln!(page, "could not look: {place}").unwrap();
    }
    page
}

#[test]
fn each_cause_has_a_page_that_was_read() {
    let mut pages = String::new();
    for (name, role, spoil) in CAUSES {
        let member = Member::new(role);
        spoil(&member);
        writeln!(pages, "# {name} ({role})\n{}", page(&member)).unwrap();
    }
    settings().bind(|| assert_snapshot!("doctor", pages));
}
