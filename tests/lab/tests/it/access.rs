//! Certificates and persons on a running cluster: what holds until when, new
//! certificates for a control plane that goes on, and a kubeconfig that may do what
//! was granted and no more. The cluster is that of `one_master`.

use std::collections::BTreeMap;

use lab::Node;
use lab::cluster::{self, INSTALLER};
use serde_json::Value;

use crate::arguments::Watch;
use crate::secrets;
use crate::support::words;

const PERSON: &str = "/root/jane.conf";

/// Certificates are renewed, a person may do what was granted, and no secret is where it
/// should not be. `watch` has seen all that was run on the nodes.
pub(crate) fn assert_is_granted(master: &Node, worker: &Node, watch: Watch) {
    assert_listed(master, worker);
    assert_renews(master, worker);
    assert_person(master);
    assert_brought(master, worker);
    let brought = [&cluster::WORKER[..], &["--with-kubeconfig", PERSON]].concat();
    let nodes: [(&Node, &[&str]); 2] = [(master, &cluster::MASTER), (worker, &brought)];
    secrets::assert_are_nowhere_else(&nodes, watch);
}

fn assert_listed(master: &Node, worker: &Node) {
    let of_master = certificates(master);
    for (path, authority) in [
        ("/etc/kubernetes/pki/apiserver.crt", "kubernetes"),
        ("/etc/kubernetes/pki/etcd/server.crt", "etcd-ca"),
        ("/etc/kubernetes/pki/front-proxy-client.crt", "front-proxy-ca"),
        ("/etc/kubernetes/scheduler.conf", "kubernetes"),
        ("/root/.kube/config", "kubernetes"),
    ] {
        assert_eq!(of_master[path]["authority"], authority, "{path}");
        assert_eq!(of_master[path]["standing"], "good", "{path}");
    }
    let of_worker = certificates(worker);
    let own = &of_worker["/var/lib/kubelet/pki/kubelet-client-current.pem"];
    assert_eq!(own["name"], format!("system:node:{}", worker.name));
    assert!(!of_worker.contains_key("/etc/kubernetes/pki/apiserver.crt"));
}

fn assert_renews(master: &Node, worker: &Node) {
    let refused = worker.exec([INSTALLER, "certs", "renew", "--yes"]).unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(words(&refused).contains("its kubelet renews its certificate itself"));
    let asked = master.exec(["sh", "-c", &format!("{INSTALLER} certs renew </dev/null")]).unwrap();
    assert!(words(&asked).contains("nothing was changed"), "{}", words(&asked));

    let before = certificates(master);
    // Cut short anywhere it leaves all pods' files, and the next run ends it.
    for seconds in ["0.5", "2", "5"] {
        let line = ["timeout", "--signal=KILL", seconds, INSTALLER, "certs", "renew", "--yes"];
        master.exec(line).unwrap();
        let pods = master.run(["sh", "-c", "ls /etc/kubernetes/manifests | wc -l"]).unwrap();
        assert_eq!(pods.trim(), "4", "after {seconds} s");
    }
    let said = master.run(["timeout", "600", INSTALLER, "certs", "renew", "--yes"]).unwrap();
    assert!(said.contains("/etc/kubernetes/pki/apiserver.crt"), "{said}");
    let after = certificates(master);
    for (path, one) in &before {
        let (old, new) = (one["until"].as_str().unwrap(), after[path]["until"].as_str().unwrap());
        let is_kept = path.ends_with("ca.crt") || path.starts_with("/var/lib/kubelet");
        assert_eq!(new > old, !is_kept, "{path}: {old} and {new}");
    }
    master.run(["cmp", "/etc/kubernetes/admin.conf", "/root/.kube/config"]).unwrap();
    let serial = "openssl x509 -noout -serial";
    let served = format!(
        "openssl s_client -connect {}:6443 </dev/null 2>/dev/null | {serial}",
        master.address
    );
    let in_file = format!("{serial} -in /etc/kubernetes/pki/apiserver.crt");
    let [served, in_file] = [served, in_file].map(|line| master.run(["sh", "-c", &line]).unwrap());
    assert_eq!(served, in_file, "the API server shows its new certificate");
    let ready = "wait nodes --all --for=condition=Ready --timeout=120s";
    kubectl(master, ready).unwrap();
    // The controller manager has its new certificate too, or nobody would see it.
    kubectl(master, "create deployment after --image=none.invalid/none:1").unwrap();
    let seen = "wait deployment/after --for=condition=Progressing --timeout=120s";
    kubectl(master, seen).unwrap();
    kubectl(master, "delete deployment after").unwrap();
}

fn assert_person(master: &Node) {
    let make = [INSTALLER, "kubeconfig", "--user", "jane", "--output", PERSON];
    assert_eq!(master.run(make).unwrap(), "", "no key is printed where a file was asked for");
    assert_eq!(master.run(["stat", "-c", "%a", PERSON]).unwrap().trim(), "600");
    let as_jane = |line: &str| kubectl(master, &format!("--kubeconfig {PERSON} {line}"));
    let refused = as_jane("get pods").unwrap_err();
    assert!(format!("{refused:#}").contains("orbidden"), "{refused:#}");
    let grant = "create rolebinding jane --clusterrole=view --user=jane --namespace=default";
    kubectl(master, grant).unwrap();
    as_jane("get pods").unwrap();
    for more in ["get nodes", "-n kube-system get pods", "get secrets", "create configmap jane"] {
        let refused = as_jane(more).unwrap_err();
        assert!(format!("{refused:#}").contains("orbidden"), "{more}: {refused:#}");
    }
}

/// jane's kubeconfig goes onto a worker on request, and no other does.
fn assert_brought(master: &Node, worker: &Node) {
    worker.run(["test", "!", "-e", "/root/.kube/config"]).unwrap();
    let line = ["--role", "worker", "--join", "/root/join.yaml", "--yes"];
    let with = [&[INSTALLER][..], &line, &["--with-kubeconfig", PERSON]].concat();
    let other = "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=kubernetes -keyout /tmp/o.key \
                 -out /tmp/o.crt 2>/dev/null; sed \
                 \"s/\\(certificate-authority-data: \\).*/\\1$(base64 -w0 /tmp/o.crt)/\" /root/jane.conf";
    worker.write(PERSON, &master.run(["sh", "-c", other]).unwrap()).unwrap();
    let refused = worker.exec(&with).unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(words(&refused).contains("is of another cluster"), "{}", words(&refused));
    worker.write(PERSON, &master.run(["cat", PERSON]).unwrap()).unwrap();
    worker.run(&with).unwrap();
    let own = worker.run(["stat", "-c", "%a", "/root/.kube/config"]).unwrap();
    assert_eq!(own.trim(), "600");
    kubectl(worker, "get pods").unwrap();
    let again = worker.run(&with).unwrap();
    assert_eq!(again, "this node is a worker already; there is nothing to do\n");
}

/// What `installer certs` says, by path.
fn certificates(node: &Node) -> BTreeMap<String, Value> {
    let said = node.run([INSTALLER, "certs", "--json"]).unwrap();
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["unknown"], serde_json::json!([]));
    let all = said["certificates"].as_array().unwrap().iter();
    all.map(|one| (one["path"].as_str().unwrap().to_owned(), one.clone())).collect()
}

fn kubectl(node: &Node, line: &str) -> anyhow::Result<String> {
    let words = ["timeout", "150", "kubectl"].into_iter().chain(line.split(' '));
    node.run(words.collect::<Vec<_>>())
}
