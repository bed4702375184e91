//! A real cluster by our installer, on nodes with no way out.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use lab::cluster::{self, INSTALLER};
use lab::network::DefaultRoute;
use lab::{Lab, Line, Node, Settings};

use crate::application::{Witness, assert_serves, get, kubectl, spread, try_kubectl, wait};
use crate::charts::{self, Chart};
use crate::deed::Deeds;
use crate::guide;
use crate::support::{connected_host, lab, words};

/// What a reset leaves, as `docs/reset.md` says: what packages have made of
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
    let chart = Chart::find();
    let bundle = chart.as_ref().map_or_else(|| host.bundle().1, |chart| chart.bundle(&host));
    let Some(lab) = lab(&Settings::default()) else { return };
    let [master, _, third] = lab.nodes() else { panic!("three nodes") };
    let _witness = Witness(master);
    let bare = tree(third);
    cluster::insert_stick(&lab, &bundle).unwrap();
    cluster::configure(master, "").unwrap();
    let plan = Deeds::planned(master, &cluster::MASTER);
    cluster::master(master, "").unwrap();
    plan.assert_done(master);
    cluster::workers(&lab).unwrap();
    spread(master);
    assert_serves(&lab);
    guide::assert_page_is_true(&lab);
    assert_defaults_are_the_bundles(master);
    if let Some(chart) = &chart {
        charts::assert_runs(master);
        chart.assert_helm_takes_over(&host, master);
    }
    // The runs that move the ingress also show what they leave of the chart.
    assert_ingress_moves(&lab, chart.as_ref().map_or("", |_| charts::SKIP));
    if chart.is_some() {
        charts::assert_greets(master, charts::OF_HELM);
    }
    assert_ingress_returns(&lab);
    if chart.is_some() {
        charts::assert_greets(master, charts::OF_SPEC);
    }

    // Again: nothing is to be done, on either kind of node.
    for (node, options, role) in
        [(master, cluster::MASTER, "master"), (third, cluster::WORKER, "worker")]
    {
        let again = node.run([&[INSTALLER, "--yes"], &options[..]].concat()).unwrap();
        assert_eq!(again, format!("this node is a {role} already; there is nothing to do\n"));
    }
    assert_changes(master, third);

    for node in lab.nodes() {
        assert_restarts_unhindered(node);
    }
    assert_serves(&lab);

    // A worker is taken back to what it was, and joins again a day later.
    third.run(["timeout", "300", INSTALLER, "reset", "--yes"]).unwrap();
    assert_eq!(difference(&bare, &tree(third)), Vec::<String>::new());
    kubectl(master, &["delete", "node", &third.name]);
    third.reboot().unwrap();
    assert_old_token_is_refused(master, third);
    cluster::worker(master, third).unwrap();
    spread(master);
    assert_serves(&lab);
    assert_no_secret(&lab);
}

/// Nothing holds up a node's shutdown until systemd kills it, which it does after 90 s
/// (`DefaultTimeoutStopSec`). kubelet starts after containerd; otherwise it would lose 10 s.
fn assert_restarts_unhindered(node: &Node) {
    let begun = Instant::now();
    node.reboot().unwrap();
    let took = begun.elapsed();
    println!("{} ended and was up again in {:.1} s", node.name, took.as_secs_f64());
    assert!(took < Duration::from_secs(90), "{}: {took:?}", node.name);
    let order = node.run(["systemctl", "show", "kubelet", "--property=After"]).unwrap();
    assert!(order.contains("containerd.service"), "{order}");
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
    cluster::insert_stick(&lab, &bundle).unwrap();
    assert_refuses_what_cannot_be(master);
    let member = |node: &Node, more: &str| {
        format!("  - {{name: {}, address: {}{more}}}\n", node.name, node.address)
    };
    let settings = [
        "cgroupDriver: cgroupfs\nnodes:\n",
        &member(master, ""),
        &member(second, ", labels: {disk: ssd}, taints: [\"gpu=yes:PreferNoSchedule\"]"),
        &member(third, ""),
    ];
    let settings = settings.concat();
    for last in ["dnf --assumeyes", "images import", "kubeadm init"] {
        kill_after(master, last, || cluster::master(master, &settings));
    }
    cluster::master(master, &settings).unwrap();
    kill_after(second, "kubeadm join", || cluster::worker(master, second));
    cluster::worker(master, second).unwrap();
    // Its kubeadm goes on without it, and the next run waits for that.
    end_after(
        third,
        "kubeadm join",
        || cluster::worker(master, third),
        || {
            third.run(["pkill", "-KILL", "-x", "installer"]).unwrap();
        },
    );
    cluster::worker(master, third).unwrap();
    spread(master);
    assert_serves(&lab);
    let path = "jsonpath={.metadata.labels.disk} {.spec.taints[*].key}";
    assert_eq!(kubectl(master, &["get", "node", &second.name, "-o", path]), "ssd gpu");
    assert_eq!(kubectl(master, &["get", "node", &third.name, "-o", path]), " ");
}

/// A changed cluster file is applied on nodes that are in the cluster, and refused
/// where it cannot be.
fn assert_changes(master: &Node, worker: &Node) {
    let printer = "192.168.77.200";
    // `kubelet` takes the place of the bundle's, so it repeats what that has.
    let accepts = match Line::of_tests().unwrap().knows_cgroup_setting() {
        true => "  failCgroupV1: false\n",
        false => "",
    };
    let more = format!(
        "kubelet:\n  maxPods: 77\n{accepts}  evictionHard: {{imagefs.available: 100Mi, \
         nodefs.available: 100Mi, memory.available: 100Mi}}\n\
         nodes: [{{name: printer, address: {printer}}}]\n"
    );
    cluster::master(master, &more).unwrap();
    cluster::worker(master, worker).unwrap();
    for node in [master, worker] {
        assert!(node.run(["getent", "hosts", "printer"]).unwrap().starts_with(printer));
        let path = ["-o", "jsonpath={.status.capacity.pods}"];
        wait("kubelet to take its settings", || {
            kubectl(master, &[&["get", "node", &node.name], &path[..]].concat()) == "77"
        });
    }
    cluster::configure(master, "podCidr: 10.245.0.0/16\n").unwrap();
    let output = master.exec([&[INSTALLER, "--yes"], &cluster::MASTER[..]].concat()).unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = words(&output);
    assert!(said.contains("podCidr") && said.contains("nothing was changed"), "{said}");
    cluster::configure(master, &more).unwrap();
}

/// What this kernel and this bundle cannot do is told before anything is changed,
/// all at once.
fn assert_refuses_what_cannot_be(node: &Node) {
    let served = format!(
        "nodes: [{{name: {}, address: {}, nfs: {{export: /srv/share}}}}]\n",
        node.name, node.address
    );
    let more = "proxyMode: ipvs\nskipManifests: [wed]\n";
    cluster::configure(node, &format!("{more}{served}")).unwrap();
    let output = node.exec([&[INSTALLER, "--yes"], &cluster::MASTER[..]].concat()).unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = words(&output);
    for problem in
        ["lacks ip_vs, ip_vs_rr, ip_vs_wrr, ip_vs_sh, nfs, nfsd\n", "skipManifests names wed"]
    {
        assert!(said.contains(problem), "{said}");
    }
    assert!(said.contains("2 problems are in the way; nothing was changed"), "{said}");
}

/// A token that the master has forgotten, as it does when its day is over.
fn assert_old_token_is_refused(master: &Node, worker: &Node) {
    let text = worker.run(["cat", "/root/join.yaml"]).unwrap();
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    let (token, _) = value("token: ").split_once('.').unwrap();
    master.run(["kubeadm", "token", "delete", token]).unwrap();
    let join = || {
        let output = worker.exec([&[INSTALLER, "--yes"], &cluster::WORKER[..]].concat()).unwrap();
        assert_eq!(output.status.code(), Some(1));
        words(&output)
    };
    // By the master.
    let said = join();
    assert!(said.contains(token) && said.contains("hint: if the master does not know"), "{said}");
    // By its date.
    let old = text.replace(value("expires: "), "\"2020-01-01T00:00:00Z\"");
    worker.write("/root/join.yaml", &old).unwrap();
    let said = join();
    assert!(said.contains("problem: the join file's token has expired"), "{said}");
}

/// Pulls the node's plug once its log tells of `command`, and switches it on.
pub(crate) fn kill_after(
    node: &Node,
    command: &str,
    run: impl FnOnce() -> anyhow::Result<String> + Send,
) {
    kill_later(node, command, 0, run);
    node.start().unwrap();
}

/// Pulls the node's plug so many seconds after its log tells of `command`.
pub(crate) fn kill_later(
    node: &Node,
    command: &str,
    seconds: u64,
    run: impl FnOnce() -> anyhow::Result<String> + Send,
) {
    end_after(node, command, run, || {
        thread::sleep(Duration::from_secs(seconds));
        node.kill().unwrap();
    });
}

/// Ends a run by `end` once its log tells of `command`.
pub(crate) fn end_after(
    node: &Node,
    command: &str,
    run: impl FnOnce() -> anyhow::Result<String> + Send,
    end: impl FnOnce(),
) {
    let log = "/var/log/kubeferry/install.log";
    // It has the lines of earlier runs.
    node.run(["truncate", "--no-create", "--size=0", log]).unwrap();
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
        end();
        assert!(running.join().unwrap().is_err());
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

/// The cluster file's `nodes`, with all of the lab's.
pub(crate) fn all_nodes(lab: &Lab) -> String {
    let member = |node: &Node| format!("- {{name: {}, address: {}}}\n", node.name, node.address);
    format!("nodes:\n{}", lab.nodes().iter().map(member).collect::<String>())
}

/// The ingress goes to the machine that a changed cluster file names. The file has these lines,
/// too.
fn assert_ingress_moves(lab: &Lab, more: &str) {
    let [master, second, third] = lab.nodes() else { panic!("three nodes") };
    let moved = format!("{more}{}ingressNodes: [{}]\n", all_nodes(lab), second.name);
    cluster::master(master, &moved).unwrap();
    wait("the ingress to be on one node alone", || {
        let pods = "-n ingress-nginx get pods -l app.kubernetes.io/name=ingress-nginx \
                    -o jsonpath={.items[*].spec.nodeName}";
        let words: Vec<&str> = pods.split_ascii_whitespace().collect();
        try_kubectl(master, &words).is_some_and(|on| on.trim() == second.name)
    });
    wait("it to answer there", || get(&second.address.to_string()).contains("node="));
    assert!(!get(&third.address.to_string()).contains("node="));
}

/// Without a word on the ingress in the cluster file, it comes back.
fn assert_ingress_returns(lab: &Lab) {
    let [master, _, third] = lab.nodes() else { panic!("three nodes") };
    cluster::master(master, "").unwrap();
    wait("it to be back", || get(&third.address.to_string()).contains("node="));
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
