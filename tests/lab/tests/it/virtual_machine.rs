//! A node that is a virtual machine, for what the other nodes cannot have: control groups
//! of version 2, and modules of the kernel. Its processor is emulated, so this is for the
//! night (`scripts/nightly`), and the node is a worker: kubeadm's own time limits are too
//! short for a master.

use std::time::Instant;

use lab::cluster::{self, INSTALLER};
use lab::{Node, Settings};

use crate::application::{Witness, kubectl, request, wait};
use crate::support::{connected_host, lab, words};

/// A virtual machine names its interface otherwise.
const INTERFACES: &str = "cniInterface: eth0,ens3\n";

/// The words that a shell on the node prints.
fn said(node: &Node, line: &str) -> String {
    words(&node.exec(["sh", "-c", line]).unwrap())
}

/// What a web server says to the node.
fn get(node: &Node, address: &str, port: u16, path: &str) -> String {
    let script = request(address, port, path);
    words(&node.exec(["timeout", "10", "bash", "-c", &script]).unwrap())
}

fn is_ready(master: &Node, node: &Node) -> bool {
    let line = ["get", "node", &node.name, "--no-headers"];
    kubectl(master, &line).contains(" Ready ")
}

#[test]
#[ignore = "takes minutes: scripts/nightly"]
fn a_worker_with_its_own_kernel_has_nftables_ipvs_and_nfs() {
    let Some(host) = connected_host() else { return };
    let (_, bundle) = host.bundle();
    let settings = Settings { nodes: 1, virtual_machines: 1, ..Settings::default() };
    let Some(lab) = lab(&settings) else { return };
    let [master, worker] = lab.nodes() else { panic!("two nodes") };
    let _witness = Witness(master);
    cluster::insert_stick(&lab, &bundle).unwrap();
    cluster::master(master, &format!("proxyMode: nftables\n{INTERFACES}")).unwrap();
    let token = master.run([INSTALLER, "token"]).unwrap();
    // The worker is made for IPVS, which nodes beside it could not have.
    let for_ipvs = token.replace("proxyMode: nftables", "proxyMode: ipvs");
    assert_ne!(for_ipvs, token);
    worker.write("/root/join.yaml", &for_ipvs).unwrap();
    let own = format!(
        "proxyMode: ipvs\n{INTERFACES}nodes: [{{name: {}, address: {}, nfs: {{export: \
         /srv/share}}}}]\n",
        worker.name, worker.address
    );
    cluster::configure(worker, &own).unwrap();
    let run = ["timeout", "3000", INSTALLER, "--yes", "--config", "/root/cluster.yaml"];
    let begun = Instant::now();
    print!("{}", worker.run([&run[..], &cluster::WORKER].concat()).unwrap());
    println!("the worker took {} s", begun.elapsed().as_secs());

    assert_eq!(said(worker, "stat -f -c %T /sys/fs/cgroup").trim(), "cgroup2fs");
    // Only where control groups of version 1 are accepted is a check of kubeadm's skipped.
    let kept = said(worker, "cat /opt/kubernetes/kubeadm-joined.yaml");
    assert!(kept.contains("kind: JoinConfiguration"), "{kept}");
    assert!(!kept.contains("SystemVerification"), "{kept}");
    let modules = said(worker, "lsmod");
    for module in ["ip_vs", "ip_vs_rr", "nfsd"] {
        assert!(modules.lines().any(|line| line.starts_with(&format!("{module} "))), "{modules}");
    }
    assert!(said(worker, "exportfs -v").contains("/srv/share"));

    wait("the virtual machine to be Ready", || is_ready(master, worker));
    assert_serves(master, worker, "nftables");
    // As `proxyMode: ipvs` has kubeadm write it. The master's kernel has no IPVS.
    let edit = "kubectl -n kube-system get configmap kube-proxy -o yaml | \
                sed 's/mode: nftables/mode: ipvs/' | kubectl apply -f - && kubectl -n kube-system \
                delete pod --field-selector spec.nodeName=";
    let edit = format!("{edit}{} -l k8s-app=kube-proxy", worker.name);
    master.run(["timeout", "300", "sh", "-c", &edit]).unwrap();
    assert_serves(master, worker, "ipvs");
    wait("kube-proxy to have a virtual server", || {
        said(worker, "ipvsadm --list --numeric").contains("10.96.0.1:443 rr")
    });
    assert!(said(worker, &format!("{INSTALLER} doctor")).contains("nothing is wrong"));
}

/// A Service answers on the worker, whose kube-proxy has this mode.
fn assert_serves(master: &Node, worker: &Node, mode: &str) {
    wait(&format!("kube-proxy to have {mode}"), || {
        get(worker, "127.0.0.1", 10249, "/proxyMode").ends_with(mode)
    });
    let address = kubectl(master, &["get", "svc", "web", "-o", "jsonpath={.spec.clusterIP}"]);
    wait(&format!("the Service to answer by {mode}"), || {
        get(worker, &address, 80, "/").contains("node=")
    });
}
