//! A real cluster by our installer, on nodes with no way out.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it expects")]

mod guide;
mod support;

use std::collections::BTreeSet;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use lab::cluster::{self, INSTALLER};
use lab::network::{DefaultRoute, LAN};
use lab::{Lab, Node, Settings};
use support::{connected_host, lab, words};

/// What a reset leaves, as `docs/install.md` says: what packages have made of
/// users, and what rpm, dnf and logs remember. systemd has folders of each boot
/// in `/var/tmp`.
const LEFT: [&str; 10] = [
    "/etc/group",
    "/etc/gshadow",
    "/etc/passwd",
    "/etc/shadow",
    "/root/join.yaml",
    "/var/cache/dnf",
    "/var/lib/dnf",
    "/var/lib/rpm",
    "/var/log",
    "/var/tmp",
];

#[test]
fn three_lines_make_a_cluster_that_outlives_a_reboot() {
    let Some(host) = connected_host() else { return };
    let (_, bundle) = host.bundle();
    let Some(lab) = lab(&Settings::default()) else { return };
    let [master, _, third] = lab.nodes() else { panic!("three nodes") };
    let _witness = Witness(master);
    let bare = tree(third);
    cluster::install(&lab, &bundle, "").unwrap();
    spread(master);
    assert_serves(&lab);
    guide::assert_page_is_true(&lab);
    assert_defaults_are_the_bundles(master);
    assert_ingress_moves(&lab);

    // Again: nothing is to be done, on either kind of node.
    let config = ["--role", "master", "--config", "/root/cluster.yaml", "--yes"];
    let again = master.run([&[INSTALLER], &config[..]].concat()).unwrap();
    assert_eq!(again, "this node is a master already; nothing is to be done\n");
    let join = ["--role", "worker", "--join", "/root/join.yaml", "--yes"];
    let again = third.run([&[INSTALLER], &join[..]].concat()).unwrap();
    assert_eq!(again, "this node is a worker already; nothing is to be done\n");

    for node in lab.nodes() {
        node.reboot().unwrap();
    }
    assert_serves(&lab);

    // A worker is taken back to what it was, and joins again.
    third.run(["timeout", "300", INSTALLER, "reset", "--yes"]).unwrap();
    assert_eq!(difference(&bare, &tree(third)), Vec::<String>::new());
    kubectl(master, &["delete", "node", &third.name]);
    third.reboot().unwrap();
    cluster::worker(master, third).unwrap();
    spread(master);
    assert_serves(&lab);
    assert_no_secret(&lab);
}

#[test]
fn a_node_that_loses_its_power_on_the_way_is_finished_by_the_next_run() {
    let Some(host) = connected_host() else { return };
    let (_, bundle) = host.bundle();
    let settings =
        Settings { nodes: 3, default_route: DefaultRoute::Blackhole, ..Settings::default() };
    let Some(lab) = lab(&settings) else { return };
    let [master, second, third] = lab.nodes() else { panic!("three nodes") };
    let _witness = Witness(master);
    let settings = "cgroupDriver: cgroupfs\n";
    cluster::insert_stick(&lab, &bundle).unwrap();
    for last in ["dnf --assumeyes", "images import", "kubeadm init"] {
        kill_after(master, last, || cluster::master(master, settings));
    }
    cluster::master(master, settings).unwrap();
    kill_after(second, "kubeadm join", || cluster::worker(master, second));
    cluster::worker(master, second).unwrap();
    cluster::worker(master, third).unwrap();
    spread(master);
    assert_serves(&lab);
}

/// Tells the cluster's state where a test fails.
struct Witness<'a>(&'a Node);

impl Drop for Witness<'_> {
    fn drop(&mut self) {
        if !thread::panicking() {
            return;
        }
        for what in ["get nodes -o wide", "get pods -A -o wide", "get events -A"] {
            let line = ["timeout", "30", "kubectl"].into_iter().chain(what.split(' '));
            match self.0.exec(line) {
                Ok(output) => println!("== {what}\n{}", words(&output)),
                Err(error) => println!("== {what}: {error:#}"),
            }
        }
    }
}

/// Pulls the node's plug once its log tells of `command`, and switches it on.
fn kill_after(node: &Node, command: &str, run: impl FnOnce() -> anyhow::Result<String> + Send) {
    let log = "/var/log/kubeferry/install.log";
    let line = format!("^run .*{command}");
    thread::scope(|scope| {
        let running = scope.spawn(run);
        wait(&format!("`{command}` to run"), || {
            if running.is_finished() {
                return true;
            }
            node.exec(["grep", "-q", &line, log]).is_ok_and(|found| found.status.success())
        });
        assert!(!running.is_finished(), "it ended first: {:?}", running.join().unwrap());
        node.kill().unwrap();
        assert!(running.join().unwrap().is_err());
    });
    node.start().unwrap();
}

/// Has the application's pods placed anew: they stay where they are when a
/// worker is added.
fn spread(master: &Node) {
    kubectl(master, &["wait", "--for=condition=Ready", "nodes", "--all", "--timeout=120s"]);
    kubectl(master, &["rollout", "restart", "deploy/web"]);
}

/// The application runs on both workers, and is reached by its name from a pod
/// and by the ingress on each worker's own port.
fn assert_serves(lab: &Lab) {
    let [master, workers @ ..] = lab.nodes() else { panic!("nodes") };
    let names: BTreeSet<String> = lab.nodes().iter().map(|node| node.name.clone()).collect();
    wait("all nodes to be Ready", || {
        let list = ["get", "nodes", "--no-headers"];
        let said = try_kubectl(master, &list).unwrap_or_default();
        let ready = said.lines().filter(|line| line.contains(" Ready "));
        ready.filter_map(|line| line.split(' ').next()).eq(names.iter().map(String::as_str))
    });
    for target in [
        "-n kube-system deploy/coredns",
        "-n ingress-nginx ds/ingress-nginx-controller",
        "deploy/web",
    ] {
        wait(&format!("{target} to roll out"), || {
            let status = format!("rollout status --timeout 20s {target}");
            try_kubectl(master, &status.split(' ').collect::<Vec<_>>()).is_some()
        });
    }
    let of_workers: BTreeSet<String> = workers.iter().map(|node| node.name.clone()).collect();
    let seen = |get: &dyn Fn() -> String| {
        let mut seen = BTreeSet::new();
        wait("both workers' pods to answer", || {
            let answer = get();
            let name = answer.split("node=").nth(1).and_then(|rest| rest.split(' ').next());
            seen.extend(name.map(str::to_owned));
            seen == of_workers
        });
    };
    for worker in workers {
        seen(&|| get(&worker.address.to_string()));
    }
    seen(&|| {
        let url = "http://web.default.svc.cluster.local/";
        let words = ["exec", "deploy/web", "--", "busybox", "timeout", "10", "wget", "-qO-", url];
        try_kubectl(master, &words).unwrap_or_default()
    });
}

/// What the bundle says of the cluster holds, and is told to be from there.
fn assert_defaults_are_the_bundles(master: &Node) {
    let config = ["config", "--role", "master", "--config", "/root/cluster.yaml"];
    let shown = master.run([&[INSTALLER], &config[..]].concat()).unwrap();
    assert!(shown.contains("kubelet: # the bundle\n"), "{shown}");
    let kubelet = master.run(["cat", "/var/lib/kubelet/config.yaml"]).unwrap();
    assert!(kubelet.contains("nodefs.available: 100Mi"), "{kubelet}");
}

/// The ingress goes to the machine that a changed cluster file names, and comes
/// back.
fn assert_ingress_moves(lab: &Lab) {
    let [master, second, third] = lab.nodes() else { panic!("three nodes") };
    let nodes = lab.nodes().iter();
    let nodes: String = nodes
        .map(|node| format!("- {{name: {}, address: {}}}\n", node.name, node.address))
        .collect();
    cluster::master(master, &format!("nodes:\n{nodes}ingressNodes: [{}]\n", second.name)).unwrap();
    wait("the ingress to be on one node alone", || {
        let pods = "-n ingress-nginx get pods -l app.kubernetes.io/name=ingress-nginx \
                    -o jsonpath={.items[*].spec.nodeName}";
        let words: Vec<&str> = pods.split_ascii_whitespace().collect();
        try_kubectl(master, &words).is_some_and(|on| on.trim() == second.name)
    });
    wait("it to answer there", || get(&second.address.to_string()).contains("node="));
    assert!(!get(&third.address.to_string()).contains("node="));

    cluster::master(master, "").unwrap();
    wait("it to be back", || get(&third.address.to_string()).contains("node="));
}

/// What a web server of the nodes' network says to the operator.
fn get(address: &str) -> String {
    let script = format!(
        "exec 3<>/dev/tcp/{address}/80 && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3"
    );
    let output = Command::new("ip")
        .args(["netns", "exec", LAN, "timeout", "5", "bash", "-c", &script])
        .output();
    words(&output.unwrap())
}

fn kubectl(master: &Node, arguments: &[&str]) -> String {
    ask_kubectl(master, arguments).unwrap()
}

fn try_kubectl(master: &Node, arguments: &[&str]) -> Option<String> {
    ask_kubectl(master, arguments).ok()
}

/// No answer within the time is an answer too: a connection to what has gone
/// may hang for a quarter of an hour.
fn ask_kubectl(master: &Node, arguments: &[&str]) -> anyhow::Result<String> {
    master.run([&["timeout", "150", "kubectl"], arguments].concat())
}

fn wait(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(240), "waited in vain for {what}");
        thread::sleep(Duration::from_millis(100));
    }
    println!("{:>4} s for {what}", start.elapsed().as_secs());
}

/// No token is where others may read it.
fn assert_no_secret(lab: &Lab) {
    for node in lab.nodes() {
        let script = "t=$(sed -n 's/^token: //p' /root/join.yaml /opt/kubernetes/join.yaml 2>/dev/null); \
                      for x in $t; do grep -rlF \"$x\" /var/log /var/lib/kubeferry --include=*.log --include=receipt.jsonl; done; \
                      find /opt/kubernetes /root -name '*join.yaml' -perm /077";
        assert_eq!(node.run(["sh", "-c", script]).unwrap_or_default(), "", "{}", node.name);
    }
}

/// Each file with its digest, and each other thing with its kind.
fn tree(node: &Node) -> Vec<String> {
    let script = "find / -xdev \\( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /dev \
                  -o -path /media \\) -prune -o -printf '%p\\t%y %m %u %l\\n' | sort; \
                  find / -xdev \\( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /dev \
                  -o -path /media \\) -prune -o -type f -print0 | sort -z | xargs -0 sha256sum | \
                  awk '{ print $2 \"\\t\" $1 }'";
    let text = node.run(["sh", "-c", script]).unwrap();
    let is_left = |line: &&str| LEFT.iter().any(|path| line.starts_with(path));
    text.lines().filter(|line| !is_left(line)).map(str::to_owned).collect()
}

fn difference(before: &[String], after: &[String]) -> Vec<String> {
    let (before, after): (BTreeSet<_>, BTreeSet<_>) =
        (before.iter().collect(), after.iter().collect());
    before.symmetric_difference(&after).map(|line| (*line).clone()).collect()
}
