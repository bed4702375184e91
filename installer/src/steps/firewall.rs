//! firewalld, where it runs: exactly the ports that the role needs are opened,
//! and what pods send is let through.

use crate::change::Change;
use crate::cluster::Firewall;
use crate::role::Role;
use crate::step::{Node, Step};

/// See the module.
pub struct FirewallRules;

/// Ports of every node: kubelet; kube-proxy's health; NodePorts; Calico's BGP,
/// VXLAN and Typha (projectcalico.org, "system requirements").
const OF_ALL: [&str; 7] = [
    "10250/tcp",
    "10256/tcp",
    "30000-32767/tcp",
    "30000-32767/udp",
    "179/tcp",
    "4789/udp",
    "5473/tcp",
];
/// Ports of a master: API server, etcd, controller manager, scheduler
/// (kubernetes.io, "ports and protocols"), and time for the other nodes.
const OF_MASTERS: [&str; 5] = ["6443/tcp", "2379-2380/tcp", "10257/tcp", "10259/tcp", "123/udp"];
/// Ports of ingress-nginx on the node's own network.
const OF_INGRESS: [&str; 3] = ["80/tcp", "443/tcp", "8443/tcp"];

impl Step for FirewallRules {
    fn name(&self) -> &'static str {
        "firewall"
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let host = node.host;
        let running = host.query("firewall-cmd --state").succeeded();
        match node.intent.cluster.firewall {
            Firewall::Leave => Ok(Vec::new()),
            Firewall::Flush if running => Ok(vec![Change::run_undone_by(
                "systemctl disable --now firewalld",
                "systemctl enable --now firewalld",
            )]),
            Firewall::Flush => Ok(Vec::new()),
            Firewall::Configure if running => Ok(configure(node)),
            Firewall::Configure => Ok(Vec::new()),
        }
    }
}

fn configure(node: &Node<'_>) -> Vec<Change> {
    let mut ports = OF_ALL.to_vec();
    if node.intent.role == Role::Master {
        ports.extend(OF_MASTERS);
    }
    if node.intent.cluster.ingress {
        ports.extend(OF_INGRESS);
    }
    let mut rules: Vec<String> = ports.iter().map(|port| format!("port={port}")).collect();
    rules.push("protocol=ipip".to_owned());
    let trusted = format!("source={}", node.intent.cluster.pod_cidr);
    let zones = rules.iter().map(|rule| ("", rule)).chain([(" --zone=trusted", &trusted)]);
    let mut changes = Vec::new();
    for (zone, rule) in zones {
        let command = |verb: &str| format!("firewall-cmd --permanent{zone} --{verb}-{rule}");
        if !node.host.query(&command("query")).succeeded() {
            changes.push(Change::run_undone_by(&command("add"), &command("remove")));
        }
    }
    if !changes.is_empty() || node.host.was_interrupted("firewall") {
        changes.push(Change::run_undone_by("firewall-cmd --reload", "firewall-cmd --reload"));
    }
    changes
}
