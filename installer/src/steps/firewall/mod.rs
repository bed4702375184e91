//! firewalld, where it runs or starts at boot: exactly the ports that the role needs
//! are opened, those of an ingress that has gone are closed, and what pods send is
//! let through. On a node that is in its cluster nothing is done that would take
//! kube-proxy's rules away.

mod rules;

use bundle_format::cluster::Firewall;

pub(crate) use self::rules::{Place, Zones, default_zone, options};
use super::ready::KUBELET;
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
        let firewall = node.intent.cluster.firewall;
        if firewall == Firewall::Leave {
            return Ok(Vec::new());
        }
        let runs = unit_is(host, "active", "firewalld")?;
        let starts = unit_is(host, "enabled", "firewalld")?;
        match firewall {
            Firewall::Leave => Ok(Vec::new()),
            Firewall::Flush => flush(host, runs, starts),
            Firewall::Configure if runs => configure(node, &[Place::Files, Place::Work]),
            Firewall::Configure if starts => configure(node, &[Place::FilesOfStopped]),
            Firewall::Configure => Ok(Vec::new()),
        }
    }
}

/// What ends firewalld now and at each boot. When it stops it takes all rules away,
/// so that one beside Kubernetes ends with the node's next start only.
fn flush(host: &Host, runs: bool, starts: bool) -> anyhow::Result<Vec<Change>> {
    let is_live = is_live(host);
    let (end, begin) = match (runs && !is_live, starts) {
        (true, true) => ("disable --now", "enable --now"),
        (true, false) => ("stop", "start"),
        (false, true) => ("disable", "enable"),
        (false, false) if runs => {
            let what = "firewalld is off from the node's next start on, but still runs: stopping it \
                        would take away the rules by which Services are reached";
            return Err(at_next_start(what).into());
        }
        (false, false) => return Ok(Vec::new()),
    };
    let unit = "firewalld";
    let lines = (format!("systemctl {end} {unit}"), format!("systemctl {begin} {unit}"));
    Ok(vec![Change::run_undone_by(&lines.0, &lines.1)])
}

/// Whether Kubernetes may have rules of its own in the kernel.
fn is_live(host: &Host) -> bool {
    host.exists(KUBELET)
}

fn at_next_start(what: &str) -> Failure {
    Failure::new(
        what,
        "restart this node when that suits, and run this again; or run it with `--skip firewall`",
    )
}

fn configure(node: &Node<'_>, places: &[Place]) -> anyhow::Result<Vec<Change>> {
    let host = node.host;
    let mut ports = OF_ALL.to_vec();
    if node.intent.role == Role::Master {
        ports.extend(OF_MASTERS);
    }
    if node.intent.cluster.has_ingress_on(&node.intent.name) {
        ports.extend(OF_INGRESS);
    }
    let services: &[&str] = if nfs_server::served(node.intent).is_some() { &OF_NFS } else { &[] };
    let pods = node.intent.cluster.pod_cidr.to_string();
    let zone = default_zone(host);
    let of_zone = format!("zones/{zone}");
    let mut rules = Vec::new();
    for place in places {
        let zones = Zones::ask(host, *place)?;
        for (kind, wanted) in [("service", services), ("port", &ports), ("protocol", &["ipip"])] {
            let missing = zones.missing(&zone, &format!("{kind}s"), wanted);
            if !missing.is_empty() {
                let options = options(&zone, &format!("add-{kind}"), &missing);
                rules.push(place.add(&options, &of_zone));
            }
        }
        // What only some clusters need, and this one no more, goes if it is from us.
        for (kind, known, wanted) in [("service", OF_NFS, services), ("port", OF_INGRESS, &ports)] {
            let has = zones.listed(&zone, &format!("{kind}s"));
            let mut left = known.to_vec();
            left.retain(|word| {
                !wanted.contains(word) && has.contains(word) && was_opened(host, *place, kind, word)
            });
            if !left.is_empty() {
                let options = options(&zone, &format!("remove-{kind}"), &left);
                rules.push(place.change(&options, &of_zone, Vec::new()));
            }
        }
        if !zones.listed("trusted", "sources").contains(&pods.as_str()) {
            rules.push(place.add(&options("trusted", "add-source", &[&pods]), "zones/trusted"));
        }
    }
    let (mut changes, last) = to_pods(host, places, &pods)?;
    changes.extend(rules);
    changes.extend(last);
    Ok(changes)
}

/// Whether an earlier run let something through there, and none has ended that
/// since: what was open before is not ours to close.
fn was_opened(host: &Host, place: Place, option: &str, word: &str) -> bool {
    let end = format!("-{option}={word}");
    let last = |place: Place| {
        let commands = receipt::commands(host.lines()).filter(|command| place.is_of(command));
        commands.flat_map(Command::words).rfind(|said| said.ends_with(&end))
    };
    // Older versions changed files only, and had firewalld read them anew.
    let last = last(place).or_else(|| last(Place::Files));
    last.is_some_and(|said| said.starts_with("--add-"))
}

/// What comes from other nodes to pods is forwarded. Since firewalld 0.9 that is
/// a policy from anywhere to the zone that has the pods; before, a direct rule. Gives
/// the changes before those of zones, and one that is to be last.
fn to_pods(
    host: &Host,
    places: &[Place],
    pods: &str,
) -> anyhow::Result<(Vec<Change>, Option<Change>)> {
    let Some(files) = places.first() else { return Ok((Vec::new(), None)) };
    let question = format!("--info-policy={POLICY}");
    let info = files.query(host, &question);
    if !info.succeeded() && !files.query(host, "--get-policies").succeeded() {
        let rule = format!("ipv4 filter FORWARD 0 -d {pods} -j ACCEPT");
        let is_there =
            |place: &Place| place.query(host, &format!("--direct --query-rule {rule}")).succeeded();
        let lack = places.iter().filter(|place| !is_there(place));
        let add = |place: &Place| place.add(&format!("--direct --add-rule {rule}"), "direct");
        return Ok((lack.map(add).collect(), None));
    }
    let is_whole = |said: &str| {
        ["target: ACCEPT", "ingress-zones: ANY", "egress-zones: trusted"]
            .iter()
            .all(|line| said.contains(line))
    };
    let mut changes = Vec::new();
    if !is_whole(&info.stdout) {
        let file = format!("policies/{POLICY}");
        // Only by its files firewalld forgets a policy. One that is off stays so.
        let undo = || vec![Command::of("systemctl try-restart firewalld")];
        if !info.succeeded() {
            changes.push(files.change(&format!("--new-policy={POLICY}"), &file, undo()));
        }
        for option in ["--set-target=ACCEPT", "--add-ingress-zone=ANY", "--add-egress-zone=trusted"]
        {
            changes.push(files.change(&format!("--policy={POLICY} {option}"), &file, undo()));
        }
    }
    let is_at_work = || changes.is_empty() && is_whole(&Place::Work.query(host, &question).stdout);
    if !places.contains(&Place::Work) || is_at_work() {
        return Ok((changes, None));
    }
    // And only by its files it learns of one.
    if !is_live(host) {
        return Ok((changes, Some(Change::run("firewall-cmd --reload"))));
    }
    if changes.is_empty() {
        let what = "firewalld does not yet let other nodes' traffic through to pods, though its \
                    files say so: reading them anew it would take away the rules by which Services \
                    are reached";
        return Err(at_next_start(what).into());
    }
    Ok((changes, None))
}
