//! firewalld, where it runs: exactly the ports that the role needs are opened,
//! those of an ingress that has gone are closed, and what pods send is let through.

use std::path::PathBuf;

use bundle_format::cluster::Firewall;

use super::{nfs_server, unit_is};
use crate::change::Change;
use crate::exec::Command;
use crate::failure::Failure;
use crate::host::Host;
use crate::receipt;
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

/// firewalld's services for NFS, of version 3 as well as of 4.
const OF_NFS: [&str; 3] = ["nfs", "mountd", "rpc-bind"];

impl Step for FirewallRules {
    fn name(&self) -> &'static str {
        "firewall"
    }

    fn changes(&self, node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
        let host = node.host;
        let running = unit_is(host, "active", "firewalld")?;
        match node.intent.cluster.firewall {
            Firewall::Leave => Ok(Vec::new()),
            Firewall::Flush if running => Ok(vec![Change::run_undone_by(
                "systemctl disable --now firewalld",
                "systemctl enable --now firewalld",
            )]),
            Firewall::Flush => Ok(Vec::new()),
            Firewall::Configure if running => configure(node),
            Firewall::Configure => Ok(Vec::new()),
        }
    }
}

fn configure(node: &Node<'_>) -> anyhow::Result<Vec<Change>> {
    let host = node.host;
    let mut ports = OF_ALL.to_vec();
    if node.intent.role == Role::Master {
        ports.extend(OF_MASTERS);
    }
    if node.intent.cluster.has_ingress_on(&node.intent.name) {
        ports.extend(OF_INGRESS);
    }
    // Each call of firewall-cmd takes a good part of a second: one tells all.
    let question = Command::of("firewall-cmd --permanent --list-all-zones");
    let said = host.answer(&question)?;
    if !said.succeeded() {
        return Err(Failure::new(
            format!("`{question}` does not answer: {}", said.stderr.trim()),
            "see why with `systemctl status firewalld`, or have `firewall: leave` in the cluster file",
        )
        .into());
    }
    let zones = said.stdout;
    let zone = default_zone(node);
    let missing = |key: &str, option: &str, wanted: &[&str]| -> String {
        let has = listed(&zones, &zone, key);
        let lacks = wanted.iter().filter(|word| !has.contains(*word));
        lacks.map(|word| format!("--add-{option}={word}")).collect::<Vec<_>>().join(" ")
    };
    // firewall-cmd takes options of one kind at a time.
    let services: &[&str] = if nfs_server::served(node.intent).is_some() { &OF_NFS } else { &[] };
    // What only some clusters need, and this one no more, goes if it is from us.
    let superfluous = |key: &str, option: &str, known: &[&str], wanted: &[&str]| -> String {
        let has = listed(&zones, &zone, key);
        let is_left = |word: &&&str| {
            !wanted.contains(*word) && has.contains(*word) && was_opened(host, option, word)
        };
        let left = known.iter().filter(is_left);
        left.map(|word| format!("--remove-{option}={word}")).collect::<Vec<_>>().join(" ")
    };
    let options = [
        missing("services", "service", services),
        missing("ports", "port", &ports),
        missing("protocols", "protocol", &["ipip"]),
        superfluous("services", "service", &OF_NFS, services),
        superfluous("ports", "port", &OF_INGRESS, &ports),
    ];
    let file = format!("zones/{zone}");
    let mut changes: Vec<Change> = options
        .iter()
        .filter(|options| !options.is_empty())
        .map(|options| permanent(options, &file))
        .collect();
    let pods = node.intent.cluster.pod_cidr.to_string();
    if !listed(&zones, "trusted", "sources").contains(&pods.as_str()) {
        changes.push(permanent(&format!("--zone=trusted --add-source={pods}"), "zones/trusted"));
    }
    changes.extend(to_pods(node, &pods));
    if !changes.is_empty() || host.was_interrupted("firewall") {
        changes.push(Change::run("firewall-cmd --reload"));
    }
    Ok(changes)
}

/// Whether an earlier run let something through, and none has ended that since:
/// what was open before is not ours to close.
fn was_opened(host: &Host, option: &str, word: &str) -> bool {
    let mut words = receipt::commands(host.lines()).flat_map(Command::words);
    let last = words.rfind(|said| said.ends_with(&format!("-{option}={word}")));
    last.is_some_and(|said| said.starts_with("--add-"))
}

/// As firewalld reads it when it starts (firewalld.conf(5)).
fn default_zone(node: &Node<'_>) -> String {
    let text = node.host.read("/etc/firewalld/firewalld.conf").ok().flatten().unwrap_or_default();
    let zone = text.lines().find_map(|line| line.strip_prefix("DefaultZone="));
    zone.map(str::trim).filter(|zone| !zone.is_empty()).unwrap_or("public").to_owned()
}

/// What a zone has under a key, of what `--list-all-zones` prints: its name, with
/// more words after it where it is in use, and below it lines of `  key: words`.
fn listed<'a>(zones: &'a str, zone: &str, key: &str) -> Vec<&'a str> {
    let is_name = |line: &str| !line.is_empty() && !line.starts_with([' ', '\t']);
    zones
        .lines()
        .skip_while(|line| !is_name(line) || line.split(' ').next() != Some(zone))
        .skip(1)
        .take_while(|line| !is_name(line))
        .find_map(|line| line.trim_start().strip_prefix(key)?.strip_prefix(':'))
        .map(|words| words.split_ascii_whitespace().collect())
        .unwrap_or_default()
}

/// What comes from other nodes to pods is forwarded. Since firewalld 0.9 that is
/// a policy from anywhere to the zone that has the pods; before, a direct rule.
fn to_pods(node: &Node<'_>, pods: &str) -> Vec<Change> {
    let host = node.host;
    let info = host.query(&format!("firewall-cmd --permanent --info-policy={POLICY}"));
    if !info.succeeded() && !host.query("firewall-cmd --permanent --get-policies").succeeded() {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_found_among_others() {
        let text = "block\n  target: %%REJECT%%\n  ports: 1/tcp\n\n\
                    public (default, active)\n  target: default\n  sources: \n  \
                    services: cockpit ssh\n  ports: 22/tcp 10250/tcp\n  source-ports: 9/udp\n  \
                    rich rules: \n\trule family=\"ipv4\" accept\n\n\
                    trusted\n  target: ACCEPT\n  sources: 10.244.0.0/16\n  ports: \n";
        assert_eq!(listed(text, "public", "ports"), ["22/tcp", "10250/tcp"]);
        assert_eq!(listed(text, "public", "services"), ["cockpit", "ssh"]);
        assert_eq!(listed(text, "public", "sources"), [""; 0]);
        assert_eq!(listed(text, "trusted", "sources"), ["10.244.0.0/16"]);
        assert_eq!(listed(text, "trusted", "services"), [""; 0]);
        assert_eq!(listed(text, "none", "ports"), [""; 0]);
    }
}
