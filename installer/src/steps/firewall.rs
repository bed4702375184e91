//! firewalld, where it runs: exactly the ports that the role needs are opened,
//! and what pods send is let through.

use std::path::PathBuf;

use crate::change::Change;
use crate::cluster::Firewall;
use crate::exec::Command;
use crate::role::Role;
use crate::step::{Node, Step};

/// See the module.
pub struct FirewallRules;

const POLICY: &str = "kubeferry-pods";

/// Ports of every node: kubelet; kube-proxy's health; NodePorts; Calico's BGP,
/// VXLAN and Typha (projectcalico.org, "system requirements").
pub(crate) const OF_ALL: [&str; 7] = [
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
pub(crate) const OF_MASTERS: [&str; 5] =
    ["6443/tcp", "2379-2380/tcp", "10257/tcp", "10259/tcp", "123/udp"];
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
    let host = node.host;
    let said = |words: &str| host.query(&format!("firewall-cmd --permanent {words}")).stdout;
    let mut ports = OF_ALL.to_vec();
    if node.intent.role == Role::Master {
        ports.extend(OF_MASTERS);
    }
    if node.intent.cluster.ingress {
        ports.extend(OF_INGRESS);
    }
    let (open, protocols) = (said("--list-ports"), said("--list-protocols"));
    let has = |list: &str, word: &str| list.split_ascii_whitespace().any(|one| one == word);
    let missing: Vec<String> = ports
        .iter()
        .filter(|port| !has(&open, port))
        .map(|port| format!("--add-port={port}"))
        .collect();
    // firewall-cmd takes options of one kind at a time.
    let mut options = vec![missing.join(" ")];
    if !has(&protocols, "ipip") {
        options.push("--add-protocol=ipip".to_owned());
    }
    let zone = host.query("firewall-cmd --get-default-zone").stdout;
    let file = format!("zones/{}", zone.trim());
    let mut changes: Vec<Change> = options
        .iter()
        .filter(|options| !options.is_empty())
        .map(|options| permanent(options, &file))
        .collect();
    let pods = node.intent.cluster.pod_cidr.to_string();
    if !has(&said("--zone=trusted --list-sources"), &pods) {
        changes.push(permanent(&format!("--zone=trusted --add-source={pods}"), "zones/trusted"));
    }
    changes.extend(to_pods(node, &pods));
    if !changes.is_empty() || host.was_interrupted("firewall") {
        changes.push(Change::run("firewall-cmd --reload"));
    }
    changes
}

/// What comes from other nodes to pods is forwarded. Since firewalld 0.9 that is
/// a policy from anywhere to the zone that has the pods; before, a direct rule.
fn to_pods(node: &Node<'_>, pods: &str) -> Vec<Change> {
    let host = node.host;
    let info = host.query(&format!("firewall-cmd --permanent --info-policy={POLICY}"));
    if !host.query("firewall-cmd --permanent --get-policies").succeeded() {
        let rule = format!("ipv4 filter FORWARD 0 -d {pods} -j ACCEPT");
        let there = host.query(&format!("firewall-cmd --permanent --direct --query-rule {rule}"));
        let add = format!("--direct --add-rule {rule}");
        return if there.succeeded() { Vec::new() } else { vec![permanent(&add, "direct")] };
    }
    let is_whole = ["target: ACCEPT", "ingress-zones: ANY", "egress-zones: trusted"]
        .iter()
        .all(|line| info.stdout.contains(line));
    if is_whole {
        return Vec::new();
    }
    let file = format!("policies/{POLICY}");
    let mut changes = Vec::new();
    if !info.succeeded() {
        changes.push(permanent(&format!("--new-policy={POLICY}"), &file));
    }
    let policy = format!("--policy={POLICY}");
    changes.push(permanent(&format!("{policy} --set-target=ACCEPT"), &file));
    changes.push(permanent(&format!("{policy} --add-ingress-zone=ANY"), &file));
    changes.push(permanent(&format!("{policy} --add-egress-zone=trusted"), &file));
    changes
}

/// A change to firewalld's files, which are put back at a reset; it then reads
/// them again.
fn permanent(options: &str, file: &str) -> Change {
    let path = |end: &str| PathBuf::from(format!("/etc/firewalld/{file}.xml{end}"));
    Change::Run {
        command: Command::of(&format!("firewall-cmd --permanent {options}")),
        // A reload fails where Kubernetes' rules went meanwhile (firewalld's
        // "Failed to reverse rule").
        undo: vec![Command::of("systemctl restart firewalld")],
        files: vec![path(""), path(".old")],
    }
}
