//! Nodes that are virtual machines, for what the other nodes cannot have: control groups
//! of version 2, and modules of the kernel. Their processors are emulated, so these tests
//! are for the night (`scripts/nightly`).

use lab::cluster::{self, INSTALLER};
use lab::{Node, Settings};

use crate::application::{Witness, kubectl, wait};
use crate::support::{connected_host, lab, words};

/// How long the installer may take here.
const HOUR: [&str; 2] = ["timeout", "3600"];

/// A virtual machine names its interface otherwise.
const INTERFACES: &str = "cniInterface: eth0,ens3\n";

fn installer(node: &Node, role: &[&str]) -> String {
    let said = node.run([&HOUR[..], &[INSTALLER, "--yes"], role].concat()).unwrap();
    print!("{said}");
    said
}

/// The words that a shell on the node prints.
fn said(node: &Node, line: &str) -> String {
    words(&node.exec(["sh", "-c", line]).unwrap())
}

/// Asks a server, from a node that has no curl.
fn get(server: &str, path: &str) -> String {
    let server = server.replace(':', "/");
    format!(
        "timeout 10 bash -c \"exec 3<>/dev/tcp/{server}; printf 'GET {path} HTTP/1.0\\r\\n\\r\\n' >&3; \
         cat <&3\""
    )
}

fn is_ready(master: &Node, node: &Node) -> bool {
    let line = ["get", "node", &node.name, "--no-headers"];
    kubectl(master, &line).contains(" Ready ")
}

#[test]
#[ignore = "takes minutes: scripts/nightly"]
fn a_worker_with_control_groups_of_version_2_joins_a_cluster_with_nftables() {
    let Some(host) = connected_host() else { return };
    let (_, bundle) = host.bundle();
    let settings = Settings { nodes: 1, virtual_machines: 1, ..Settings::default() };
    let Some(lab) = lab(&settings) else { return };
    let [master, worker] = lab.nodes() else { panic!("two nodes") };
    let _witness = Witness(master);
    cluster::insert_stick(&lab, &bundle).unwrap();
    cluster::master(master, &format!("proxyMode: nftables\n{INTERFACES}")).unwrap();
    let token = master.run([INSTALLER, "token"]).unwrap();
    worker.write("/root/join.yaml", &token).unwrap();
    installer(worker, &cluster::WORKER);

    assert_eq!(said(worker, "stat -f -c %T /sys/fs/cgroup").trim(), "cgroup2fs");
    // Only where control groups of version 1 are accepted is a check of kubeadm's skipped.
    let kept = said(worker, "cat /opt/kubernetes/kubeadm-joined.yaml");
    assert!(
        kept.contains("kind: JoinConfiguration") && !kept.contains("SystemVerification"),
        "{kept}"
    );
    wait("the virtual machine to be Ready", || is_ready(master, worker));
    kubectl(master, &["rollout", "status", "deploy/web", "--timeout=150s"]);
    wait("kube-proxy to have nftables", || {
        said(worker, &get("127.0.0.1:10249", "/proxyMode")).ends_with("nftables")
    });
    let address = kubectl(master, &["get", "svc", "web", "-o", "jsonpath={.spec.clusterIP}"]);
    wait("the Service to answer on the virtual machine", || {
        said(worker, &get(&format!("{address}:80"), "/")).contains("node=")
    });
}

#[test]
#[ignore = "takes minutes: scripts/nightly"]
fn a_master_serves_by_ipvs_and_exports_a_folder() {
    let Some(host) = connected_host() else { return };
    let (_, bundle) = host.bundle();
    let settings = Settings { nodes: 0, virtual_machines: 1, ..Settings::default() };
    let Some(lab) = lab(&settings) else { return };
    let [master] = lab.nodes() else { panic!("one node") };
    let _witness = Witness(master);
    cluster::insert_stick(&lab, &bundle).unwrap();
    let served = format!(
        "proxyMode: ipvs\n{INTERFACES}nodes: [{{name: {}, address: {}, taints: [], nfs: {{export: /srv/share}}}}]\n",
        master.name, master.address
    );
    cluster::configure(master, &served).unwrap();
    installer(master, &cluster::MASTER);

    let modules = said(master, "lsmod");
    for module in ["ip_vs", "ip_vs_rr", "nfsd"] {
        assert!(modules.lines().any(|line| line.starts_with(&format!("{module} "))), "{modules}");
    }
    assert!(said(master, "exportfs -v").contains("/srv/share"));
    wait("the node to be Ready", || is_ready(master, master));
    wait("kube-proxy to have a virtual server", || {
        said(master, "ipvsadm --list --numeric").contains("10.96.0.1:443 rr")
    });
    assert!(said(master, &format!("{INSTALLER} doctor")).contains("nothing is wrong"));
}
