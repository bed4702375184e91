//! Pods' traffic: packets from pods are let in, and packets from other nodes to pods
//! are forwarded.

use bundle_format::cluster::Cluster;
use bundle_format::parallel::each;
use ipnet::IpNet;

use super::arrival::Arrival;
use super::next_start::{at_next_start, is_live};
use super::rules::read_again;
use super::zones::{Sources, Zones, unanswered};
use crate::host::Host;
use crate::install::Change;
use crate::node::paths::PODS_POLICY;
use crate::receipt::firewalld::{Kind, Place, Rule};

/// The policy's name, which is that of its file.
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

/// What firewalld says in each place about the policy that forwards to pods. The text is empty
/// if there is no such policy. There is no text if this firewalld does not know policies.
pub(super) fn policies(host: &Host, places: &[Place]) -> anyhow::Result<Vec<Option<String>>> {
    let told = each(places, places.len(), |place| {
        let question = place.command_of(&format!("--info-policy={POLICY}"));
        let said = host.answer(&question)?;
        match said.status {
            Some(0) => Ok(Some(said.stdout)),
            // An older firewalld does not know the option: status 2 of Python's programs.
            Some(2) => Ok(None),
            _ if said.stderr.contains("INVALID_POLICY") => Ok(Some(String::new())),
            _ => Err(unanswered(&question, &said).into()),
        }
    });
    told.into_iter().collect()
}

/// Forwarding from other nodes to pods. Since firewalld 0.9 it is a policy from any
/// zone to the pods' zone; before, a direct rule. `told` is the result of [`policies`]. Gives
/// the changes that come before those of zones, and one that must come last.
pub(super) fn forwarded(
    host: &Host,
    places: &[Place],
    told: &[Option<String>],
    pods: &str,
    zone: &str,
) -> anyhow::Result<(Vec<Change>, Option<Change>)> {
    let (Some(files), Some(Some(policy))) = (places.first(), told.first()) else {
        return Ok((direct(host, places, pods)?, None));
    };
    let egress = format!("egress-zones: {zone}");
    let is_whole = |said: &str| {
        ["target: ACCEPT", "ingress-zones: ANY", &egress].iter().all(|line| said.contains(line))
    };
    let mut changes = Vec::new();
    if !is_whole(policy) {
        let file = format!("policies/{POLICY}");
        let change = |options: &str| files.change(options, &file, vec![read_again()]);
        if policy.is_empty() {
            changes.push(Change::write(PODS_POLICY, text(zone)));
            changes.push(change(&format!("--new-policy-from-file={PODS_POLICY}")));
        } else {
            let egress = format!("--add-egress-zone={zone}");
            let missing = ["--set-target=ACCEPT", "--add-ingress-zone=ANY", &egress];
            changes.extend(missing.map(|option| change(&format!("--policy={POLICY} {option}"))));
        }
    }
    let at_work = places.iter().zip(told).find(|(place, _)| **place == Place::Work);
    if at_work.is_none_or(|(_, told)| changes.is_empty() && told.as_deref().is_some_and(is_whole)) {
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

/// The text of the policy's file (firewalld.policy(5)). With this file, one command makes the
/// whole policy. Otherwise each setting takes a command of its own.
fn text(zone: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<policy target=\"ACCEPT\">\n  \
         <ingress-zone name=\"ANY\"/>\n  <egress-zone name=\"{zone}\"/>\n</policy>\n"
    )
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
