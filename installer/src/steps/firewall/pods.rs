//! Pods' traffic: packets from pods are let in, and packets from other nodes to pods
//! are forwarded.

use bundle_format::cluster::Cluster;
use ipnet::IpNet;

use super::arrival::Arrival;
use super::direct;
use super::next_start::{at_next_start, is_live};
use super::policy::{self, Policy};
use super::rules::read_again;
use super::zones::{Sources, Zones};
use crate::host::Host;
use crate::install::Change;
use crate::node::paths::PODS_POLICY;
use crate::receipt::firewalld::{Kind, Place, Rule};

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
/// zone to the pods' zone; before, a direct rule. `told` is what firewalld has in each place.
///
/// Gives the changes that come before those of zones, and one that must come last.
pub(super) fn forwarded(
    host: &Host,
    places: &[Place],
    told: &[Policy],
    pods: &str,
    zone: &str,
) -> anyhow::Result<(Vec<Change>, Option<Change>)> {
    let (Some(files), Some(in_files)) = (places.first(), told.first()) else {
        return Ok((Vec::new(), None));
    };
    if *in_files == Policy::Unknown {
        return Ok((direct::changes(host, places, pods)?, None));
    }
    let mut changes = Vec::new();
    if !in_files.forwards_to(zone) {
        let file = format!("policies/{}", policy::NAME);
        let change = |options: &str| files.change(options, &file, vec![read_again()]);
        if *in_files == Policy::Missing {
            changes.push(Change::write(PODS_POLICY, text(zone)));
            changes.push(change(&format!("--new-policy-from-file={PODS_POLICY}")));
        } else {
            let egress = format!("--add-egress-zone={zone}");
            let missing = ["--set-target=ACCEPT", "--add-ingress-zone=ANY", &egress];
            let option = |option| change(&format!("--policy={} {option}", policy::NAME));
            changes.extend(missing.map(option));
        }
    }
    let at_work = places.iter().zip(told).find(|(place, _)| **place == Place::Work);
    if at_work.is_none_or(|(_, told)| changes.is_empty() && told.forwards_to(zone)) {
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
