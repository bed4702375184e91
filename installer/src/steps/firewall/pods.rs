//! Pods' traffic: packets from pods are let in, and packets from other nodes to pods
//! are forwarded.

use bundle_format::cluster::Cluster;
use bundle_format::parallel::each;
use ipnet::IpNet;

use super::arrival::Arrival;
use super::next_start::{at_next_start, is_live};
use super::zones::{Sources, Zones, unanswered};
use crate::exec::Command;
use crate::host::Host;
use crate::install::Change;
use crate::receipt::firewalld::{Kind, Place, Rule};

const POLICY: &str = "kubeferry-pods";
/// firewalld's zone that lets everything in.
const TRUSTED: &str = "trusted";

/// The zone that has the pods' network as a source. A network can be in one zone
/// only.
pub(super) fn zone(arrival: &Arrival<'_>, cluster: &Cluster) -> String {
    let pods = IpNet::V4(cluster.pod_cidr);
    let own = arrival.bound().iter().find(|one| one.networks.contains(&pods));
    own.map_or_else(|| TRUSTED.to_owned(), |one| one.zone.clone())
}

/// The rules that let pods in. Another zone gets them too if it has the same or a
/// larger network as a source, because firewalld may ask that zone first.
pub(super) fn rules(zones: &Zones, arrival: &Arrival<'_>, cluster: &Cluster) -> Vec<Rule> {
    let pods = IpNet::V4(cluster.pod_cidr);
    let mut rules = Vec::new();
    if zone(arrival, cluster) == TRUSTED {
        rules.push(Rule { zone: TRUSTED.to_owned(), kind: Kind::Source, word: pods.to_string() });
    }
    for Sources { zone, networks, .. } in arrival.bound() {
        if networks.iter().any(|source| source.contains(&pods)) && !zones.takes_all(zone) {
            let word = format!("rule family=\"ipv4\" source address=\"{pods}\" accept");
            rules.push(Rule { zone: zone.clone(), kind: Kind::RichRule, word });
        }
    }
    rules
}

/// Forwarding from other nodes to pods. Since firewalld 0.9 it is a policy from any
/// zone to the pods' zone; before, a direct rule. Returns the changes before those of
/// zones, and one that must come last.
pub(super) fn forwarded(
    host: &Host,
    places: &[Place],
    pods: &str,
    zone: &str,
) -> anyhow::Result<(Vec<Change>, Option<Change>)> {
    let question = format!("--info-policy={POLICY}");
    let told = each(places, places.len(), |place| host.answer(&place.command_of(&question)));
    let told = told.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    let (Some(files), Some(info)) = (places.first(), told.first()) else {
        return Ok((Vec::new(), None));
    };
    if !info.succeeded() && !knows_policies(host, *files)? {
        return Ok((direct(host, places, pods)?, None));
    }
    let egress = format!("egress-zones: {zone}");
    let is_whole = |said: &str| {
        ["target: ACCEPT", "ingress-zones: ANY", &egress].iter().all(|line| said.contains(line))
    };
    let mut changes = Vec::new();
    if !is_whole(&info.stdout) {
        let file = format!("policies/{POLICY}");
        // firewalld forgets a policy only when it reads its files. If it is
        // off, it stays off.
        let undo = || vec![Command::of("systemctl try-restart firewalld")];
        if !info.succeeded() {
            changes.push(files.change(&format!("--new-policy={POLICY}"), &file, undo()));
        }
        let egress = format!("--add-egress-zone={zone}");
        for option in ["--set-target=ACCEPT", "--add-ingress-zone=ANY", &egress] {
            changes.push(files.change(&format!("--policy={POLICY} {option}"), &file, undo()));
        }
    }
    let at_work = places.iter().zip(&told).find(|(place, _)| **place == Place::Work);
    if at_work.is_none_or(|(_, told)| changes.is_empty() && is_whole(&told.stdout)) {
        return Ok((changes, None));
    }
    // firewalld also learns of a policy only then.
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

/// Whether firewalld has policies. Older ones do not know the option, which is status
/// 2 of Python's programs.
fn knows_policies(host: &Host, place: Place) -> anyhow::Result<bool> {
    let question = place.command_of("--get-policies");
    let said = host.answer(&question)?;
    match said.status {
        Some(0) => Ok(true),
        Some(2) => Ok(false),
        _ => Err(unanswered(&question, &said).into()),
    }
}

/// The direct rule for a firewalld without policies.
fn direct(host: &Host, places: &[Place], pods: &str) -> anyhow::Result<Vec<Change>> {
    let rule = format!("ipv4 filter FORWARD 0 -d {pods} -j ACCEPT");
    let mut changes = Vec::new();
    for place in places {
        if host.answer(&place.command_of(&format!("--direct --query-rule {rule}")))?.succeeded() {
            continue;
        }
        let remove = place.command_of(&format!("--direct --remove-rule {rule}"));
        let undo = if *place == Place::Work { vec![remove] } else { Vec::new() };
        changes.push(place.change(&format!("--direct --add-rule {rule}"), "direct", undo));
    }
    Ok(changes)
}
