//! Real firewalld on real nodes of a cluster: who is let in where, and that no rule of
//! kube-proxy's goes while ports are opened and closed. The cluster is that of `one_master`.

use std::process::Command;

use lab::Node;
use lab::cluster::{self, INSTALLER};
use lab::network::LAN;

use crate::application::{kubectl, wait};
use crate::support::words;

/// What a port says to who asks: `open`, `refused` by the node's kernel, since nobody
/// listens there, or `shut` by its firewall.
fn knock(command: &mut Command) -> &'static str {
    let said = words(&command.output().unwrap());
    match said.trim() {
        "" => "open",
        said if said.contains("refused") => "refused",
        said if said.contains("No route to host") || said.contains("ended") => "shut",
        said => panic!("{said}"),
    }
}

fn script(to: &Node, port: u16) -> String {
    format!("timeout 5 bash -c ': </dev/tcp/{}/{port}' || [ $? != 124 ] || echo ended", to.address)
}

/// From a machine of the nodes' network that is no node.
fn from_neighbour(to: &Node, port: u16) -> &'static str {
    knock(Command::new("ip").args(["netns", "exec", LAN, "sh", "-c", &script(to, port)]))
}

fn from_node(from: &Node, to: &Node, port: u16) -> &'static str {
    knock(&mut from.command(["sh", "-c", &script(to, port)]).unwrap())
}

/// Moves the node's interface out of the default zone, as sites have it.
pub(crate) fn move_to_another_zone(node: &Node) {
    for option in ["", "--permanent"] {
        let move_it = format!("firewall-cmd {option} --zone=internal --change-interface=eth0");
        node.run(["sh", "-c", &move_it]).unwrap();
    }
}

/// Each port is open to those who need it, and no rule of other programs is lost. The worker's
/// interface is in another zone.
pub(crate) fn assert_guards(master: &Node, worker: &Node, config: &str) {
    assert_lets_in(master, worker);
    let opened = worker.run(["firewall-cmd", "--zone=public", "--list-all"]).unwrap();
    assert!(!opened.contains("10250") && !opened.contains("30000"), "{opened}");

    // The node's interface moves, doctor says so, and a run follows.
    let doctor = || words(&worker.exec(["timeout", "60", INSTALLER, "doctor"]).unwrap());
    wait("the worker to be well", || doctor().contains("nothing is wrong"));
    worker.run(["firewall-cmd", "--zone=work", "--change-interface=eth0"]).unwrap();
    let said = doctor();
    assert!(said.contains("eth0 is in firewalld's zone work, in which the installer"), "{said}");
    worker.run(["firewall-cmd", "--zone=internal", "--change-interface=eth0"]).unwrap();

    // If all ports of a zone are closed at work, doctor must not count those that firewalld loaded
    // from the zone's file.
    let ports = worker.run(["firewall-cmd", "--zone=internal", "--list-ports"]).unwrap();
    let all = |verb: &str| {
        let options = ports.split_whitespace().map(|port| format!(" --{verb}-port={port}"));
        let line = format!("firewall-cmd --zone=internal{}", options.collect::<String>());
        worker.run(["sh", "-c", &line]).unwrap();
    };
    all("remove");
    let said = doctor();
    assert!(said.contains("firewalld lets nothing through at 10256/tcp"), "{said}");
    all("add");
    wait("the worker to be well again", || doctor().contains("nothing is wrong"));

    assert_rules_stay(master, config);
}

fn assert_lets_in(master: &Node, worker: &Node) {
    for node in [master, worker] {
        // Of kubelet; and of Typha, which this network does not have.
        assert_eq!(from_neighbour(node, 10250), "shut", "{}", node.name);
        assert_eq!(from_neighbour(node, 5473), "shut", "{}", node.name);
        assert_eq!(from_neighbour(node, 10256), "open", "{}", node.name);
        assert_eq!(from_neighbour(node, 22), "open", "{}", node.name);
    }
    assert_eq!(from_neighbour(master, 6443), "open");
    for (from, to) in [(master, worker), (worker, master)] {
        assert_eq!(from_node(from, to, 10250), "open", "{}", to.name);
        assert_eq!(from_node(from, to, 5473), "refused", "{}", to.name);
    }
    // etcd listens on the node's address, and nobody outside asks it.
    for port in [2379, 2380, 10257, 10259] {
        assert_eq!(from_neighbour(master, port), "shut", "{port}");
        assert_eq!(from_node(worker, master, port), "shut", "{port}");
    }
    assert_eq!(from_node(master, master, 2379), "open");
}

/// Ports are closed and opened on a master, and meanwhile a Service answers and
/// kube-proxy has all of its rules. Where firewalld reads its files anew they go, so
/// that this would be seen.
fn assert_rules_stay(master: &Node, config: &str) {
    let service = ["get", "service", "web", "-o", "jsonpath={.spec.clusterIP}"];
    let address = kubectl(master, &service);
    let rules = "{ iptables-legacy-save; iptables-nft-save; } 2>/dev/null | grep -c '^-A KUBE-'";
    let before: u32 = master.run(["sh", "-c", rules]).unwrap().trim().parse().unwrap();
    assert!(before > 10, "{before}");
    let watch = format!(
        "while [ ! -e /run/watched ]; do {rules} >>/run/rules; \
         timeout 5 bash -c 'exec 3<>/dev/tcp/{address}/80 && printf \"GET / HTTP/1.0\\r\\n\\r\\n\" >&3 && \
         grep -q node= <&3' && echo yes >>/run/answers || echo no >>/run/answers; done"
    );
    let mut watching = master.command(["bash", "-c", &watch]).unwrap().spawn().unwrap();
    for more in ["ingress: false\n", ""] {
        cluster::configure(master, &format!("{config}{more}")).unwrap();
        let line = [&[INSTALLER, "--yes", "--only", "firewall"], &cluster::MASTER[..]].concat();
        let said = master.run(line).unwrap();
        assert!(said.contains(" changes in "), "{said}");
        let open = from_neighbour(master, 443) != "shut";
        assert_eq!(open, more.is_empty());
    }
    master.run(["touch", "/run/watched"]).unwrap();
    assert!(watching.wait().unwrap().success());
    let counts = master.run(["cat", "/run/rules"]).unwrap();
    let counts: Vec<u32> = counts.lines().map(|line| line.parse().unwrap()).collect();
    assert!(
        counts.len() > 3 && counts.iter().all(|count| *count == before),
        "{before}: {counts:?}"
    );
    let answers = master.run(["cat", "/run/answers"]).unwrap();
    assert!(answers.lines().all(|line| line == "yes"), "{answers}");
}
