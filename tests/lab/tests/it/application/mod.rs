//! The cluster's application, as a pod and as the operator reach it.

use std::collections::BTreeSet;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use lab::network::LAN;
use lab::{Lab, Node};

use crate::support::words;

/// Has the application's pods placed anew: they stay where they are when a
/// worker is added.
pub(crate) fn spread(master: &Node) {
    kubectl(master, &["wait", "--for=condition=Ready", "nodes", "--all", "--timeout=120s"]);
    kubectl(master, &["rollout", "restart", "deploy/web"]);
}

/// The application runs on both workers, and is reached by its name from a pod
/// and by the ingress on each worker's own port.
pub(crate) fn assert_serves(lab: &Lab) {
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

/// What a web server of the nodes' network says to the operator.
pub(crate) fn get(address: &str) -> String {
    let script = request(address, 80, "/");
    let output = Command::new("ip")
        .args(["netns", "exec", LAN, "timeout", "5", "bash", "-c", &script])
        .output();
    words(&output.unwrap())
}

/// A line for bash that asks a web server.
pub(crate) fn request(address: &str, port: u16, path: &str) -> String {
    format!(
        "exec 3<>/dev/tcp/{address}/{port} && printf 'GET {path} HTTP/1.0\\r\\n\\r\\n' >&3 && \
         cat <&3"
    )
}

pub(crate) fn kubectl(master: &Node, arguments: &[&str]) -> String {
    ask_kubectl(master, arguments).unwrap()
}

pub(crate) fn try_kubectl(master: &Node, arguments: &[&str]) -> Option<String> {
    ask_kubectl(master, arguments).ok()
}

/// No answer within the time is an answer too: a connection to what has gone
/// may hang for a quarter of an hour.
pub(crate) fn ask_kubectl(master: &Node, arguments: &[&str]) -> anyhow::Result<String> {
    master.run([&["timeout", "150", "kubectl"], arguments].concat())
}

pub(crate) fn wait(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(240), "waited in vain for {what}");
        thread::sleep(Duration::from_millis(100));
    }
    println!("{:>4} s for {what}", start.elapsed().as_secs());
}

/// Tells the cluster's state where a test fails.
pub(crate) struct Witness<'a>(pub(crate) &'a Node);

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
