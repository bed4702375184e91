//! `docs/guide.md`: each step of the hand-written guide, with a command that
//! shows on the cluster that it was done, and what that says. The page is made
//! here, of what the nodes answer, and the test holds the file to it.

use std::fs;
use std::path::Path;

use lab::{Lab, Line, Node};

/// Where the page's first lines come from.
const HEAD: &str = "\
# The guide's steps, shown

The installer replaces a hand-written guide (`GUIDE.md`). This page shows each step of
that guide on the lab's cluster of one master, `node1`, and two workers: a command, and
what the node prints. The test that makes the cluster also makes this page, and fails if
the page differs (`tests/lab/tests/it/guide/`).
";

/// A step of the guide: its number, what is to be so, on which node, and the
/// line for a shell that shows it. What it says is the same in each cluster.
const STEPS: [(&str, &str, &str, &str); 21] = [
    (
        "S1",
        "the node knows its own name and the others' names",
        "node2",
        "hostname; getent hosts node1",
    ),
    (
        "S2",
        "the firewall runs, and the role's ports are open: some to all, some to nodes only",
        "node1",
        "firewall-cmd --zone=public --list-ports; firewall-cmd --zone=public --list-rich-rules | sort",
    ),
    ("S3", "swap is off, now and at boot", "node1", "tail -n +2 /proc/swaps; grep swap /etc/fstab"),
    ("S4", "modules are loaded at boot", "node1", "cat /etc/modules-load.d/kubeferry.conf"),
    (
        "S5",
        "the kernel forwards packets, and iptables sees bridged traffic",
        "node2",
        "sysctl net.ipv4.ip_forward net.bridge.bridge-nf-call-iptables net.bridge.bridge-nf-call-ip6tables",
    ),
    (
        "S6",
        "a worker follows the master's clock",
        "node2",
        "chronyc -c sources | cut -d, -f1-3; systemctl is-enabled chronyd",
    ),
    ("S7", "there is one service folder", "node1", "ls /opt/kubernetes"),
    (
        "S8",
        "containerd's CRI answers, and its cgroup driver is systemd",
        "node2",
        "crictl info -o go-template --template '{{range .status.conditions}}{{println .type .status}}{{end}}'; grep SystemdCgroup /etc/containerd/config.toml",
    ),
    (
        "S9",
        "containerd uses kubeadm's sandbox image",
        "node1",
        "kubeadm config images list --config /opt/kubernetes/kubeadm.yaml | grep pause; grep pause: /etc/containerd/config.toml",
    ),
    (
        "S10",
        "programs have the bundle's versions, and kubelet starts at boot",
        "node2",
        "rpm -q kubelet kubeadm kubectl; systemctl is-enabled kubelet",
    ),
    (
        "S11",
        "the cluster has the networks and the version that were asked for",
        "node1",
        "kubectl -n kube-system get configmap kubeadm-config -o jsonpath={.data.ClusterConfiguration} | grep -E 'Endpoint|Version:|Subnet'",
    ),
    (
        "S12",
        "each image that kubeadm wants is on the node",
        "node1",
        "for image in $(kubeadm config images list --config /opt/kubernetes/kubeadm.yaml); do crictl inspecti \"$image\" >/dev/null && echo \"$image\"; done",
    ),
    (
        "S13",
        "the control plane answers, and only root can read the kubeconfig",
        "node1",
        "kubectl get --raw /readyz; echo; stat -c '%a %U %n' /root/.kube/config",
    ),
    (
        "S14",
        "pods have a network and DNS",
        "node1",
        "kubectl -n kube-system rollout status deployment coredns",
    ),
    (
        "S15",
        "workers have joined",
        "node1",
        "kubectl get nodes -o jsonpath='{range .items[*]}{.metadata.name} {.status.conditions[?(@.type==\"Ready\")].status}{\"\\n\"}{end}'",
    ),
    (
        "S16",
        "a worker has no administrator's kubeconfig",
        "node2",
        "ls /etc/kubernetes; test -e /root/.kube || echo no /root/.kube",
    ),
    (
        "S17",
        "the ingress uses its node's own network",
        "node1",
        "kubectl -n ingress-nginx get pods -l app.kubernetes.io/name=ingress-nginx -o jsonpath='{range .items[*]}{.spec.nodeName} {.spec.hostNetwork} {.spec.dnsPolicy}{\"\\n\"}{end}' | sort",
    ),
    ("S18", "crictl needs no options", "node1", "cat /etc/crictl.yaml"),
    (
        "S18",
        "no certificate expires within 30 days",
        "node1",
        "for file in /etc/kubernetes/pki/*.crt; do openssl x509 -checkend 2592000 -noout -in \"$file\" && echo \"$file\"; done",
    ),
    (
        "S18",
        "the kubeconfig trusts this cluster's authority",
        "node1",
        "grep certificate-authority-data /root/.kube/config | cut -d' ' -f6 | base64 -d | cmp - /etc/kubernetes/pki/ca.crt && echo same",
    ),
    (
        "S18",
        "kubectl asks the master, not `localhost:8080`",
        "node1",
        "kubectl config view -o jsonpath='{.clusters[0].cluster.server}'",
    ),
];

/// Runs every line, and holds the page to what they say on the newest Kubernetes.
pub(crate) fn assert_page_is_true(lab: &Lab) {
    let mut page = HEAD.to_owned();
    for (number, what, node, line) in STEPS {
        let said = said(lab.node(node).unwrap(), line);
        page += &format!("\n## {number}: {what}\n\n```console\n{node}# {line}\n{said}\n```\n");
    }
    if Line::of_tests().unwrap() != Line::default() {
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let file = root.join("docs/guide.md");
    if fs::read_to_string(&file).unwrap_or_default() != page {
        let new = root.join("target/guide.md");
        fs::write(&new, &page).unwrap();
        panic!("docs/guide.md is not what the nodes say; target/guide.md is:\n{page}");
    }
}

fn said(node: &Node, line: &str) -> String {
    let said = node.run(["timeout", "60", "sh", "-c", line]).unwrap();
    // Also of each line: crictl fills its columns up.
    said.trim_end().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}
