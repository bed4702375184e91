//! One address for masters: keepalived of the bundle's own packages gives it to a real
//! master, unless another machine has it, and a reset takes it back. The cluster is that of
//! `masters`.

use std::process::Command;

use lab::cluster::{self, INSTALLER};
use lab::network::LAN;
use lab::{Lab, Node};
use serde_json::Value;

use crate::application::{kubectl, wait};
use crate::support::{succeed, words};

pub(crate) const VIP: &str = "192.168.77.100";

/// What a bundle's spec says of it.
pub(crate) const IN_SPEC: &str = "  controlPlane: {vip: 192.168.77.100}\n";

/// The cluster file: the first so many nodes are masters.
pub(crate) fn config(lab: &Lab, masters: usize) -> String {
    let nodes = lab.nodes().iter().enumerate().map(|(number, node)| {
        let role = if number < masters { "master" } else { "worker" };
        format!("- {{name: {}, address: {}, role: {role}}}\n", node.name, node.address)
    });
    format!("controlPlane: {{vip: {VIP}}}\nnodes:\n{}", nodes.collect::<String>())
}

/// Another machine of the nodes' network that has the address, for as long as it lives.
struct Other;

impl Other {
    fn with_the_address() -> Self {
        ip_of_lan("add");
        Self
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        ip_of_lan("del");
    }
}

fn ip_of_lan(verb: &str) {
    let address = format!("{VIP}/32");
    succeed(Command::new("ip").args(["-n", LAN, "addr", verb, &address, "dev", "lo"]));
}

fn doctor(node: &Node) -> String {
    words(&node.exec(["timeout", "60", INSTALLER, "doctor"]).unwrap())
}

pub(crate) fn holds(node: &Node) -> bool {
    node.run(["ip", "-o", "-4", "addr", "show", "dev", "eth0"]).unwrap().contains(VIP)
}

/// The lock says why the bundle has keepalived.
pub(crate) fn assert_locked(lock: &Value) {
    let mut rpms = lock["rpms"].as_array().unwrap().iter();
    let keepalived = rpms.find(|rpm| rpm["package"].to_string().contains("keepalived")).unwrap();
    assert!(keepalived["why"].to_string().contains("cluster.controlPlane.vip"), "{keepalived}");
}

/// A bare node does not take an address that another machine has.
pub(crate) fn assert_is_not_taken(master: &Node, config: &str) {
    cluster::configure(master, config).unwrap();
    let other = Other::with_the_address();
    let refused = master.exec([&[INSTALLER, "--yes"], &cluster::MASTER[..]].concat()).unwrap();
    let said = words(&refused);
    assert!(said.contains("another machine already answers for controlPlane.vip"), "{said}");
    assert!(said.contains("nothing was changed"), "{said}");
    drop(other);
    // The kernel believes for half a minute what it has heard.
    master.run(["ip", "neigh", "flush", "to", VIP]).unwrap();
}

/// The first master holds the address, and the join file, `status` and kubectl name it.
pub(crate) fn assert_is_held(master: &Node, config: &str) {
    assert!(holds(master));
    let join = master.run(["grep", "^endpoint", "/opt/kubernetes/join.yaml"]).unwrap();
    assert_eq!(join.trim(), format!("endpoint: {VIP}:6443"));
    let status = master.run([INSTALLER, "status"]).unwrap();
    assert!(status.contains(&format!("{VIP}: this master holds it\n")), "{status}");
    let rules = master.run(["firewall-cmd", "--list-all-zones"]).unwrap();
    assert!(rules.contains("protocol value=\"vrrp\""), "{rules}");
    let again = cluster::master(master, config).unwrap();
    assert_eq!(again, "this node is a master already; there is nothing to do\n");
    wait("doctor to find nothing", || doctor(master).contains("nothing is wrong"));

    let other = Other::with_the_address();
    let said = doctor(master);
    assert!(said.contains("this node holds 192.168.77.100, and another machine answers"), "{said}");
    drop(other);

    let server = ["config", "view", "--output=jsonpath={.clusters[0].cluster.server}"];
    assert_eq!(kubectl(master, &server), format!("https://{VIP}:6443"));
}

/// A reset takes it from the master, and its programs too.
pub(crate) fn assert_is_given_back(master: &Node) {
    assert!(holds(master));
    master.run(["timeout", "240", INSTALLER, "reset", "--yes"]).unwrap();
    assert!(!holds(master));
    let left = "ls -d /etc/keepalived /usr/libexec/keepalived; rpm -q keepalived";
    let left = words(&master.exec(["sh", "-c", left]).unwrap());
    assert!(left.contains("package keepalived is not installed"), "{left}");
    assert_eq!(left.matches("No such file").count(), 2, "{left}");
}
