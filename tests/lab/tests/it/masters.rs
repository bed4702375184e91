//! Three masters behind one address: the cluster goes on without any one of them.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use lab::cluster::{self, INSTALLER};
use lab::{Node, Settings};

use crate::application::{Witness, get, kubectl, try_kubectl, wait};
use crate::arguments::Watch;
use crate::cluster::kill_after;
use crate::secrets;
use crate::support::{connected_host, lab, words};
use crate::virtual_address::{self, IN_SPEC, config, holds};

const JOIN: [&str; 4] = ["--role", "master", "--join", "/root/join-master.yaml"];

pub(crate) fn installer(node: &Node, words: &[&str]) -> anyhow::Result<String> {
    node.run([&["timeout", "480", INSTALLER], words].concat())
}

/// The masters that hold the address.
pub(crate) fn holders(masters: &[&Node]) -> Vec<String> {
    let are = masters.iter().filter(|node| node.is_on() && holds(node));
    are.map(|node| node.name.clone()).collect()
}

/// Makes a join file for masters, and brings it to these nodes.
pub(crate) fn bring(first: &Node, to: &[&Node]) {
    let text = first.run([INSTALLER, "token", "--for", "master"]).unwrap();
    to.iter().for_each(|node| node.write("/root/join-master.yaml", &text).unwrap());
}

/// Has `node` join as a master.
pub(crate) fn join(node: &Node) -> anyhow::Result<String> {
    installer(node, &[&["--yes"], &JOIN[..]].concat())
}

/// What doctor says, with its exit status.
pub(crate) fn doctor(node: &Node) -> String {
    words(&node.exec(["timeout", "120", INSTALLER, "doctor"]).unwrap())
}

/// The members of etcd that have a vote, by name.
pub(crate) fn voters(master: &Node) -> BTreeSet<String> {
    let list = "crictl exec $(crictl ps --quiet --name ^etcd$) etcdctl --cacert \
                /etc/kubernetes/pki/etcd/ca.crt --cert /etc/kubernetes/pki/etcd/server.crt --key \
                /etc/kubernetes/pki/etcd/server.key member list";
    let said = master.run(["sh", "-c", list]).unwrap();
    let voters = said.lines().filter(|line| line.ends_with(" false"));
    voters.map(|line| line.split(", ").nth(2).unwrap().to_owned()).collect()
}

pub(crate) fn names(nodes: &[&Node]) -> BTreeSet<String> {
    nodes.iter().map(|node| node.name.clone()).collect()
}

/// Writes a new object again and again, from a worker, and notes what was accepted.
struct Writer<'a>(&'a Node);

impl<'a> Writer<'a> {
    const NOTES: &'static str = "/root/written";

    fn begin(worker: &'a Node, master: &Node) -> Self {
        let admin = master.run(["cat", "/etc/kubernetes/admin.conf"]).unwrap();
        worker.write("/root/admin.conf", &admin).unwrap();
        let script = "n=0; while [ ! -e /root/stop ]; do n=$((n + 1)); timeout 5 kubectl \
                      --kubeconfig /root/admin.conf create configmap count-$n >/dev/null 2>&1 && \
                      echo $(date +%s%N) count-$n >>/root/written; sleep 0.1; done";
        let unit = ["systemd-run", "--unit", "writer", "sh", "-c", script];
        worker.run(unit).unwrap();
        let writer = Self(worker);
        wait("the first objects", || writer.accepted().len() > 3);
        writer
    }

    /// The nanosecond and the name of each.
    fn accepted(&self) -> Vec<(u64, String)> {
        let text = self.0.run(["cat", Self::NOTES]).unwrap_or_default();
        let noted = text.lines().filter_map(|line| line.split_once(' '));
        noted.map(|(at, name)| (at.parse().unwrap(), name.to_owned())).collect()
    }

    /// Waits until it goes on.
    fn goes_on(&self, what: &str) {
        let before = self.accepted().len();
        wait(&format!("writing without {what}"), || self.accepted().len() > before + 2);
    }

    /// Ends it. All that was accepted is there.
    fn end(self, master: &Node) {
        self.0.run(["touch", "/root/stop"]).unwrap();
        wait("the writer to end", || {
            !self.0.exec(["systemctl", "is-active", "writer"]).unwrap().status.success()
        });
        let accepted = self.accepted();
        let list = kubectl(master, &["get", "configmaps", "--output=name"]);
        let there: BTreeSet<&str> =
            list.lines().filter_map(|line| line.strip_prefix("configmap/")).collect();
        let lost: Vec<&str> = accepted
            .iter()
            .map(|(_, name)| name.as_str())
            .filter(|name| !there.contains(name))
            .collect();
        let gaps = accepted.windows(2).map(|pair| pair[1].0 - pair[0].0);
        let longest = Duration::from_nanos(gaps.max().unwrap_or_default());
        println!("{} objects, {} lost; longest gap {longest:?}", accepted.len(), lost.len());
        assert_eq!(lost, [""; 0]);
    }
}

#[test]
fn three_masters_go_on_without_any_one_of_them() {
    let Some(host) = connected_host() else { return };
    let (lock, bundle) = host.bundle_with(IN_SPEC);
    virtual_address::assert_locked(&lock);
    let Some(lab) = lab(&Settings { nodes: 4, ..Settings::default() }) else { return };
    let [first, second, third, worker] = lab.nodes() else { panic!("four nodes") };
    let masters = [first, second, third];
    let _witness = Witness(first);
    cluster::insert_stick(&lab, &bundle).unwrap();
    let watch = Watch::begin();
    let config = config(&lab, 3);
    virtual_address::assert_is_not_taken(first, &config);
    let said = cluster::master(first, &config).unwrap();
    assert!(said.contains("for a further master: `installer token --for master`"), "{said}");
    virtual_address::assert_is_held(first, &config);

    // Both at once; and one loses its power on the way.
    bring(first, &[second, third]);
    thread::scope(|scope| {
        scope.spawn(|| join(second).unwrap());
        scope.spawn(|| {
            kill_after(third, "kubeadm join", || join(third));
            join(third).unwrap();
        });
    });
    assert_eq!(voters(first), names(&masters));
    assert!(
        third.exec(["ls", "/opt/kubernetes/kubeadm-join.yaml"]).unwrap().status.code() != Some(0)
    );
    let again = join(second).unwrap();
    assert_eq!(again, "this node is a master already; there is nothing to do\n");
    assert_eq!(holders(&masters), ["node1"], "who joins takes nothing");
    // Any master's join file will do.
    cluster::worker(second, worker).unwrap();
    wait("the application to answer", || get(&worker.address.to_string()).contains("node="));

    let writer = Writer::begin(worker, second);
    // One after the other is missed, each in its own way. The one with the address loses its power.
    first.kill().unwrap();
    writer.goes_on("the first master");
    let found = doctor(second);
    let silent = "of 3 members of etcd, these do not answer: node1";
    assert!(found.contains(silent), "{found}");
    first.start().unwrap();
    let all_are_well = || masters.iter().all(|node| doctor(node).contains("nothing is wrong"));
    wait("doctor to find nothing", all_are_well);
    assert_eq!(holders(&masters).len(), 1);
    // An API server fails, and its master gives the address away.
    let [holder] = &holders(&masters)[..] else { panic!("one holder") };
    let holder = lab.node(holder).unwrap();
    let pod = "/etc/kubernetes/manifests/kube-apiserver.yaml";
    holder.run(["mv", pod, "/root/"]).unwrap();
    wait("another master to hold it", || {
        let now = holders(&masters);
        now.len() == 1 && now[0] != holder.name
    });
    writer.goes_on("an API server");
    holder.run(["mv", "/root/kube-apiserver.yaml", pod]).unwrap();
    // The holder's cable is pulled, and comes back. Then one has the address again.
    let [holder] = &holders(&masters)[..] else { panic!("one holder") };
    let holder = lab.node(holder).unwrap();
    holder.cut().unwrap();
    writer.goes_on("a cable");
    holder.heal().unwrap();
    wait("one master to hold it", || holders(&masters).len() == 1);
    wait("etcd to be whole", all_are_well);
    // This one does not come back.
    third.kill().unwrap();
    writer.goes_on("the third master");
    writer.end(first);
    // The join file for masters has the key to the cluster's keys.
    let nodes: [(&Node, &[&str]); 2] = [(first, &cluster::MASTER), (second, &JOIN)];
    secrets::assert_are_nowhere_else(&nodes, watch);

    assert_removal(first, second, third);
    assert!(get(&worker.address.to_string()).contains("node="));
    wait("the last master to hold the address", || holders(&masters) == [first.name.as_str()]);
    virtual_address::assert_is_given_back(first);
}

/// A lost master is taken out, and a new machine takes its place. A living one is not
/// taken out where etcd would stop.
fn assert_removal(first: &Node, second: &Node, third: &Node) {
    wait("the node to be lost", || {
        let said = try_kubectl(first, &["get", "node", &third.name, "--no-headers"]);
        said.is_some_and(|line| line.contains("NotReady"))
    });
    let refused = first.exec([INSTALLER, "remove", &second.name, "--yes"]).unwrap();
    let said = words(&refused);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("because these members do not answer: node3"), "{said}");
    let reset = second.exec(["timeout", "300", INSTALLER, "reset", "--yes"]).unwrap();
    let said = words(&reset);
    assert_eq!(reset.status.code(), Some(1), "{said}");
    assert!(said.contains("this node's member cannot leave etcd"), "{said}");
    assert!(second.exec(["ls", "/etc/kubernetes/admin.conf"]).unwrap().status.success());

    installer(first, &["remove", &third.name, "--yes"]).unwrap();
    assert_eq!(voters(first), names(&[first, second]));
    third.replace().unwrap();
    bring(first, &[third]);
    join(third).unwrap();
    assert_eq!(voters(first), names(&[first, second, third]));

    // One that works leaves, and the other two go on.
    installer(first, &["remove", &second.name, "--yes"]).unwrap();
    installer(second, &["reset", "--yes"]).unwrap();
    assert_eq!(voters(first), names(&[first, third]));
    // One of two leaves etcd by its own reset, and the last one goes on.
    installer(third, &["reset", "--yes"]).unwrap();
    assert_eq!(voters(first), names(&[first]));
    kubectl(first, &["create", "configmap", "last"]);
}
