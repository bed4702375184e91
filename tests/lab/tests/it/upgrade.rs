//! A cluster goes from one minor release of Kubernetes to the next, and back, while its
//! application answers.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lab::cluster::{self, INSTALLER};
use lab::{Lab, Line, Node, Places, Settings, Upstream};

use crate::application::{Witness, get, kubectl, try_kubectl, wait};
use crate::cluster::kill_later;
use crate::masters::doctor;
use crate::silence::longest_silence;
use crate::support::{lab, words};

pub(crate) const NEW: &str = "/media/usb/new.tar";

/// The bundles of the two newest lines, of specs whose `cluster` has these lines besides;
/// none, with the word why, if the older one was not prepared: its Kubernetes takes many
/// minutes to compile.
pub(crate) fn bundles(folder: &Path, in_spec: &str) -> Option<[PathBuf; 2]> {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: the lab makes namespaces and mounts, as root");
        return None;
    }
    if Line::of_tests().unwrap() != Line::default() {
        println!("skipped: it has its own two lines, and runs once");
        return None;
    }
    let lines = ["1.36", "1.37"];
    if !are_prepared(&lines) {
        return None;
    }
    Some(lines.map(|line| {
        let upstream = Upstream::up(line.parse::<Line>().unwrap()).unwrap();
        cluster::bundle_with(&upstream, &folder.join(line), in_spec).unwrap()
    }))
}

/// Whether these lines were prepared; says which was not.
pub(crate) fn are_prepared(lines: &[&str]) -> bool {
    let made = fs::read_dir(Places::find().unwrap().products()).into_iter().flatten().flatten();
    let names: Vec<String> =
        made.map(|one| one.file_name().to_string_lossy().into_owned()).collect();
    lines.iter().all(|line| {
        let is_made = names.iter().any(|name| name.starts_with(&format!("images-{line}-")));
        if !is_made {
            println!("skipped: `scripts/lab prepare --line {line}` was not run");
        }
        is_made
    })
}

pub(crate) fn installer(node: &Node, words: &[&str]) -> anyhow::Result<String> {
    let begun = Instant::now();
    let said = node.run([&["timeout", "600", INSTALLER], words].concat());
    println!("{:>4} s for {} {}", begun.elapsed().as_secs(), node.name, words.join(" "));
    said
}

/// What the installer says as it refuses.
pub(crate) fn refused(node: &Node, options: &[&str]) -> String {
    let output = node.exec([&[INSTALLER], options].concat()).unwrap();
    let said = words(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    said
}

/// Makes a master and workers of the old bundle, with an object and the application, and puts
/// the new bundle on all. Gives the workers' addresses, at which the application answers.
pub(crate) fn begin(lab: &Lab, [old, new]: &[PathBuf; 2], version: &str) -> Vec<String> {
    let [master, workers @ ..] = lab.nodes() else { panic!("a master and workers") };
    cluster::install(lab, old, "").unwrap();
    kubectl(master, &["create", "configmap", "kept", "--from-literal=a=b"]);
    spread_application(master);
    let addresses: Vec<String> = workers.iter().map(|one| one.address.to_string()).collect();
    await_application(&addresses);
    assert_all_have(lab, version);
    insert_new(lab, new);
    addresses
}

/// Has pods of the application and of CoreDNS on all workers. So names are still known when the
/// master is gone, or one of the workers.
pub(crate) fn spread_application(master: &Node) {
    kubectl(master, &["-n", "kube-system", "rollout", "restart", "deploy/coredns"]);
    kubectl(master, &["rollout", "status", "deploy/web", "--timeout=140s"]);
    kubectl(master, &["-n", "kube-system", "rollout", "status", "deploy/coredns"]);
}

/// Waits until the application answers at each of these addresses.
pub(crate) fn await_application<S: AsRef<str>>(addresses: &[S]) {
    let answers = |address: &S| get(address.as_ref()).contains("node=");
    wait("the application to answer", || addresses.iter().all(answers));
}

/// Brings the new images to all nodes but the first, and waits until the API server knows.
pub(crate) fn bring_images(first: &Node, others: &[Node]) {
    for node in others {
        println!("{}", installer(node, &["upgrade", "--images", "--bundle", NEW]).unwrap());
    }
    wait("the API server to know all images", || {
        let plan = [INSTALLER, "upgrade", "--dry-run", "--bundle", NEW];
        first.exec(plan).unwrap().status.success()
    });
}

/// Puts the new bundle on all nodes, under its name there.
pub(crate) fn insert_new(lab: &Lab, bundle: &Path) {
    let renamed = bundle.with_file_name("new.tar");
    fs::rename(bundle, &renamed).unwrap();
    lab.nodes().iter().try_for_each(|node| node.insert(&renamed)).unwrap();
}

/// All nodes, and what the first one runs and has, are of this version.
pub(crate) fn assert_all_have(lab: &Lab, version: &str) {
    let master = &lab.nodes()[0];
    wait(&format!("all nodes to be Ready in {version}"), || {
        let said = try_kubectl(master, &["get", "nodes", "--no-headers"]).unwrap_or_default();
        let is_good = |line: &&str| line.contains(" Ready ") && line.contains(version);
        let good = said.lines().filter(is_good).count();
        good == lab.nodes().len() && !said.contains("SchedulingDisabled")
    });
    // The kubelet tells the API server of its own pods a while after they run.
    for pod in ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] {
        let name = format!("{pod}-{}", master.name);
        let image = "jsonpath={.spec.containers[0].image}";
        let image = ["-n", "kube-system", "get", "pod", &name, "-o", image];
        wait(&format!("{pod} to be of {version}"), || {
            let said = try_kubectl(master, &image);
            said.is_some_and(|said| pod == "etcd" || said.ends_with(version))
        });
    }
    let proxy = ["-n", "kube-system", "get", "ds", "kube-proxy", "-o", "yaml"];
    assert!(kubectl(master, &proxy).contains(&format!("kube-proxy:{version}")));
    let config = ["-n", "kube-system", "get", "cm", "kubeadm-config", "-o", "yaml"];
    assert!(kubectl(master, &config).contains(&format!("kubernetesVersion: {version}")));
    kubectl(master, &["-n", "kube-system", "rollout", "status", "ds,deploy", "--timeout=120s"]);
    kubectl(master, &["get", "configmap", "kept"]);
}

/// The same lines again, and an install of the new bundle, find nothing to do.
pub(crate) fn assert_nothing_is_left(lab: &Lab) {
    for node in lab.nodes() {
        let again = installer(node, &["upgrade", "--yes", "--bundle", NEW]).unwrap();
        assert!(again.contains("there is nothing to do"), "{again}");
    }
    let line = ["--yes", "--role", "master", "--bundle", NEW, "--config", "/root/cluster.yaml"];
    let again = installer(&lab.nodes()[0], &line).unwrap();
    assert_eq!(again, "this node is a master already; there is nothing to do\n");
}

pub(crate) fn assert_well(lab: &Lab) {
    for node in lab.nodes() {
        wait(&format!("doctor to find nothing on {}", node.name), || {
            doctor(node).contains("nothing is wrong")
        });
    }
}

#[test]
#[ignore = "takes ten minutes, and two lines of Kubernetes: scripts/nightly"]
fn a_cluster_goes_to_the_next_minor_release_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let Some(bundles) = bundles(folder.path(), "") else { return };
    let Some(lab) = lab(&Settings { nodes: 2, ..Settings::default() }) else { return };
    let [master, worker] = lab.nodes() else { panic!("two nodes") };
    let _witness = Witness(master);
    let addresses = begin(&lab, &bundles, "v1.36.3");
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let upgrade = ["upgrade", "--yes", "--bundle", NEW];
    let without_drain = [&upgrade[..], &["--no-drain"]].concat();
    let said = refused(worker, &upgrade);
    assert!(said.contains("upgrade all masters first"), "{said}");
    let said = refused(master, &["--yes", "--role", "master", "--bundle", NEW]);
    assert!(said.contains("`installer upgrade` takes a node to the next version"), "{said}");
    // What the upgraded master starts on the worker must be there before.
    let said = refused(master, &upgrade);
    assert!(said.contains("node2 has not got "), "{said}");
    bring_images(master, &lab.nodes()[1..]);
    let plan = installer(master, &["upgrade", "--dry-run", "--bundle", NEW]).unwrap();
    println!("{plan}");
    assert!(plan.contains("+++ /opt/kubernetes/manifests/ingress-nginx.yaml (as planned)"));
    let images = "-    image: registry.k8s.io/kube-apiserver:v1.36.3\n\
                  +    image: registry.k8s.io/kube-apiserver:v1.37.2\n";
    assert!(plan.contains(images), "the new kubeadm was asked: {plan}");

    // The power goes while kubeadm replaces the control plane; the same line goes on.
    lose_power(master, 15);
    let said = words(&master.exec([INSTALLER, "status"]).unwrap());
    assert!(said.contains("is being upgraded from Kubernetes 1.36.3 to 1.37.2"), "{said}");
    let silence = longest_silence(&addresses, || {
        println!("{}", installer(master, &upgrade).unwrap());
        println!("{}", installer(worker, &without_drain).unwrap());
    });
    // After a power loss of the only master, half of the names are asked of a CoreDNS that is
    // gone, until the API server is back and says so.
    println!("the application was silent for {:.1} s at most", silence.as_secs_f64());
    assert!(silence < Duration::from_secs(120), "{silence:?}");
    assert_all_have(&lab, "v1.37.2");
    assert_well(&lab);
    assert_nothing_is_left(&lab);
    let line = ["--yes", "--role", "master", "--bundle", "/media/usb/lab.tar"];
    let said = refused(master, &line);
    assert!(said.contains("Kubernetes is v1.37.2 on this node"), "{said}");

    assert_goes_back(&lab, &addresses);

    // And from the middle, when etcd is the new one already.
    lose_power(master, 40);
    println!("{}", installer(master, &["upgrade", "--yes", "--back"]).unwrap());
    assert_all_have(&lab, "v1.36.3");
    kubectl(master, &["get", "configmap", "later"]);
    assert_well(&lab);

    // All packages are still the installer's.
    installer(worker, &["reset", "--yes"]).unwrap();
    let left = worker.exec(["rpm", "-q", "kubelet", "kubeadm", "containerd.io"]).unwrap();
    assert_eq!(words(&left).matches("is not installed").count(), 3, "{}", words(&left));
    assert!(!worker.exec(["test", "-e", "/var/lib/kubeferry"]).unwrap().status.success());
}

/// Begins an upgrade, and takes the power so many seconds after kubeadm began.
fn lose_power(master: &Node, seconds: u64) {
    let upgrade = || installer(master, &["upgrade", "--yes", "--bundle", NEW]);
    kill_later(master, "kubeadm upgrade apply", seconds, upgrade);
    master.start().unwrap();
}

/// Both nodes go back, the worker first, and nothing is lost.
fn assert_goes_back(lab: &Lab, addresses: &[&str]) {
    let [master, worker] = lab.nodes() else { panic!("two nodes") };
    kubectl(master, &["create", "configmap", "later", "--from-literal=a=b"]);
    let back = ["upgrade", "--yes", "--back"];
    let said = refused(master, &back);
    assert!(said.contains("take that node back first"), "{said}");
    let silence = longest_silence(addresses, || {
        println!("{}", installer(worker, &back).unwrap());
        println!("{}", installer(master, &back).unwrap());
    });
    println!("the application was silent for {:.1} s at most", silence.as_secs_f64());
    assert_all_have(lab, "v1.36.3");
    kubectl(master, &["get", "configmap", "later"]);
    assert_well(lab);
    let said = installer(master, &back).unwrap();
    assert!(said.contains("is back at Kubernetes 1.36.3; there is nothing to do"), "{said}");
}
