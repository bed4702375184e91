//! Real nodes, broken in one way after the other: `doctor` names the cause
//! first, and the cure that it gives mends it.

use std::thread;
use std::time::{Duration, Instant};

use lab::cluster::{self, INSTALLER};
use lab::{Node, Settings};

use crate::support::{connected_host, lab, words};
use crate::virtual_address;

const HEALTHY: &str = "nothing is wrong that we know of";

/// How a worker is broken, and how the cause begins.
const WORKER: [(&str, &str); 10] = [
    ("systemctl disable --now kubelet", "kubelet does not run"),
    ("mkdir /root/cni && mv /etc/cni/net.d/* /root/cni/", "no network for pods is configured"),
    (
        "sed -i '/^disabled_plugins/d' /etc/containerd/config.toml; \
         sed -i '1i disabled_plugins = [\"io.containerd.grpc.v1.cri\"]' /etc/containerd/config.toml; \
         systemctl restart containerd",
        "containerd's CRI plugin is disabled",
    ),
    (
        "sed -i 's/pause:[0-9.]*/pause:9.9/' /etc/containerd/config.toml; systemctl restart containerd",
        "the sandbox image",
    ),
    (
        "sed -i 's/SystemdCgroup = true/SystemdCgroup = false/' /etc/containerd/config.toml; \
         systemctl restart containerd",
        "kubelet's cgroup driver is systemd, and containerd's is cgroupfs",
    ),
    (
        "ctr -n k8s.io images list --quiet | grep kube-proxy | xargs ctr -n k8s.io images rm",
        "these images are not on this node, and its pods could not start again: ",
    ),
    ("sysctl -qw net.ipv4.ip_forward=0", "net.ipv4.ip_forward is 0"),
    (
        "sed -i /^server/d /etc/chrony.conf; systemctl restart chronyd",
        "the clock has no time source: /etc/chrony.conf names no server",
    ),
    ("on the master: kubectl delete node node2", "the cluster does not know node2 any more"),
    ("mkdir -p /var/lib/etcd/member", "/var/lib/etcd/member has the data"),
];

/// The same for a master.
const MASTER: [(&str, &str); 5] = [
    ("systemctl disable --now keepalived", "keepalived does not run"),
    (
        "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=kubernetes -keyout /tmp/other.key -out /tmp/other.crt 2>/dev/null; \
         sed -i \"s/\\(certificate-authority-data: \\).*/\\1$(base64 -w0 /tmp/other.crt)/\" /root/.kube/config",
        "/root/.kube/config is of another cluster",
    ),
    (
        "mv /etc/kubernetes/manifests/kube-scheduler.yaml /root/",
        "the control plane lacks kube-scheduler.yaml",
    ),
    (
        "ctr -n k8s.io images list --quiet | grep kube-scheduler | xargs ctr -n k8s.io images rm",
        "these images are not on this node, and its pods could not start again: ",
    ),
    (
        "cd /etc/kubernetes/pki; \
         openssl x509 -x509toreq -in apiserver.crt -signkey apiserver.key -copy_extensions copyall -out /tmp/a.csr; \
         openssl x509 -req -in /tmp/a.csr -CA ca.crt -CAkey ca.key -copy_extensions copyall \
         -set_serial 1 -days -1 -out apiserver.crt",
        "expired: /etc/kubernetes/pki/apiserver.crt",
    ),
];

#[test]
#[ignore = "takes five minutes: scripts/nightly"]
fn doctor_names_the_cause_first_and_its_cure_works() {
    let Some(host) = connected_host() else { return };
    // The worker finds the master by an address that keepalived moves.
    let (_, bundle) = host.bundle_with(virtual_address::IN_SPEC);
    let Some(lab) = lab(&Settings { nodes: 2, ..Settings::default() }) else { return };
    cluster::install(&lab, &bundle, &virtual_address::config(&lab, 1)).unwrap();
    let [master, worker] = lab.nodes() else { panic!("two nodes") };
    for node in lab.nodes() {
        // As on a stick from which a cure's line is typed.
        node.run(["ln", "-s", INSTALLER, "/root/installer"]).unwrap();
        assert_heals(master, node, "nothing");
    }
    for (node, breaks) in [(worker, &WORKER[..]), (master, &MASTER[..])] {
        for (line, cause) in breaks {
            // systemd counts a service's starts, and so many in a row are an error.
            node.run(["systemctl", "reset-failed"]).unwrap();
            let (on, typed) = place(master, node, line);
            on.run(["sh", "-c", typed]).unwrap();
            let cure = cure_of(node, line, cause);
            println!("{cause}: {cure}");
            let (on, typed) = place(master, node, &cure);
            let output = on.exec(["timeout", "240", "sh", "-c", &in_root(typed)]).unwrap();
            assert!(output.status.success(), "after `{line}`, `{cure}`: {}", words(&output));
            assert_heals(master, node, &format!("`{line}`, and `{cure}`"));
        }
    }
}

/// Where a line is to be typed, and what.
fn place<'a>(master: &'a Node, node: &'a Node, line: &'a str) -> (&'a Node, &'a str) {
    match line.strip_prefix("on the master: ") {
        Some(line) => (master, line),
        None => (node, line),
    }
}

/// What `doctor` gives as the cure, of the cause that it names first.
fn cure_of(node: &Node, line: &str, cause: &str) -> String {
    let output = node.exec(["timeout", "60", INSTALLER, "doctor"]).unwrap();
    assert_eq!(output.status.code(), Some(1), "after `{line}`");
    let said = words(&output);
    let mut lines = said.lines();
    let first = lines.next().unwrap();
    assert!(first.starts_with(&format!("cause: {cause}")), "after `{line}`: {said}");
    lines.next().unwrap().trim().strip_prefix("cure: ").unwrap().to_owned()
}

/// The cure's line as it is typed; the installer asks nobody here. A master that was made
/// with a cluster file needs it again.
fn in_root(cure: &str) -> String {
    let more = match cure {
        _ if cure.contains("--role master") => " --yes --config cluster.yaml",
        _ if cure.contains("./installer") => " --yes",
        _ => "",
    };
    format!("cd /root && {cure}{more}")
}

/// Nothing is wrong with the node any more, and its system's pods are ready: one
/// that starts anew mends what the next break does.
fn assert_heals(master: &Node, node: &Node, after: &str) {
    let end = Instant::now() + Duration::from_secs(180);
    let of_node = format!("--field-selector=spec.nodeName={}", node.name);
    let pods = "timeout 40 kubectl -n kube-system wait pods --for=condition=Ready --timeout=30s";
    let pods: Vec<&str> = pods.split(' ').chain([of_node.as_str()]).collect();
    loop {
        let said = node.exec(["timeout", "60", INSTALLER, "doctor"]).unwrap();
        let ready = master.exec(&pods).unwrap();
        if said.status.success() && ready.status.success() {
            assert_eq!(words(&said).trim(), HEALTHY, "after {after}");
            return;
        }
        let both = [words(&said), words(&ready)].concat();
        assert!(Instant::now() < end, "{} is still broken after {after}: {both}", node.name);
        thread::sleep(Duration::from_millis(500));
    }
}
